import { Conversation } from './conversation.js'
import { PeerMissing, type SessionSetting } from './peers/peer.js'
import { pinned } from './pinned.js'
import { findProgram } from './programs.js'
import { testpmdPrompt } from './testpmd-output.js'

/** A testpmd that listens to commands, be it a switch or the guests. */
export interface Testpmd {
  pid: number
  /** Says a line; answers with what comes before the next prompt. */
  ask(line: string): Promise<string>
  /** Ends it. */
  quit(): Promise<void>
}

/**
 * Starts DPDK's testpmd with both its lcores on one core and waits for its prompt. `eal` and `own` are its
 * arguments before and after `--`. Throws PeerMissing when it cannot run here.
 */
export async function openTestpmd(
  name: string,
  core: number,
  eal: readonly string[],
  own: readonly string[],
  setting: SessionSetting,
): Promise<Testpmd> {
  const program = await findProgram('dpdk-testpmd')
  if (program === null) throw new PeerMissing('dpdk-testpmd is not installed: apt-get install dpdk-dev')
  if (!setting.hugepages) throw new PeerMissing('there are no hugepages for it: set vm.nr_hugepages')
  const environment = ['env', `RUNTIME_DIRECTORY=${setting.folder}`, 'stdbuf', '-oL']
  const always = ['--lcores', `0@${core},1@${core}`, '--in-memory', '--no-pci', '--no-telemetry']
  const rings = ['-i', '--txd=1024', '--rxd=1024', '--nb-cores=1']
  const argv = pinned(core, [...environment, program, ...always, ...eal, '--', ...rings, ...own])
  const talk = await Conversation.start(name, argv, setting.signal)
  setting.belongings.add(name, () => talk.end())
  await talk.hear(testpmdPrompt, 20_000)
  const ask = async (line: string) => {
    talk.say(line)
    return talk.hear(testpmdPrompt, 5_000)
  }
  const quit = async () => {
    talk.say('quit')
    await talk.end()
  }
  return { pid: talk.pid, ask, quit }
}
