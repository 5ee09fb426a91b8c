import { join } from 'node:path'
import { sendSignal } from '../../../src/world/processes.js'
import { Conversation } from '../conversation.js'
import { pinned, switchCore } from '../pinned.js'
import { findProgram } from '../programs.js'
import { parseForwardCycles, testpmdPrompt } from '../testpmd-output.js'
import { type Peer, PeerMissing, type SessionSetting } from './peer.js'

/** Debian's DPDK is built for so many ports. */
const portsMost = 32

/** DPDK's testpmd, which moves frames between two vhost ports without looking at them. */
export async function startTestpmd(setting: SessionSetting): Promise<Peer> {
  const program = await findProgram('dpdk-testpmd')
  if (program === null) throw new PeerMissing('dpdk-testpmd is not installed: apt-get install dpdk')
  if (!setting.hugepages) throw new PeerMissing('there are no hugepages for it: set vm.nr_hugepages')
  if (setting.ports > portsMost)
    throw new PeerMissing(`DPDK as Debian builds it has at most ${portsMost} ports`)
  const sockets = Array.from({ length: setting.ports }, (_, port) => join(setting.folder, `testpmd-${port}`))
  const offload = setting.offload ? ',tso=1,legacy-ol-flags=1' : ''
  const ports = sockets.flatMap((socket, port) => ['--vdev', `net_vhost${port},iface=${socket}${offload}`])
  const lcores = `0@${switchCore},1@${switchCore}`
  const eal = ['--lcores', lcores, '--in-memory', '--no-pci', '--no-telemetry', '--file-prefix=vkb-switch']
  const mode = ['-i', '--forward-mode=io', '--txd=1024', '--rxd=1024', '--nb-cores=1']
  const buffers = [`--total-num-mbufs=${16384 * Math.max(2, setting.ports)}`]
  const argv = pinned(switchCore, [
    'env',
    `RUNTIME_DIRECTORY=${setting.folder}`,
    'stdbuf',
    '-oL',
    program,
    ...eal,
    ...ports,
    '--',
    ...mode,
    ...buffers,
  ])
  const talk = await Conversation.start('testpmd (switch)', argv, setting.signal)
  setting.belongings.add('testpmd', () => talk.end())
  await talk.hear(testpmdPrompt, 20_000)
  const ask = async (line: string) => {
    talk.say(line)
    return talk.hear(testpmdPrompt, 5_000)
  }
  await ask('set record-core-cycles on')
  await ask('start')
  return {
    name: 'testpmd',
    version: 'DPDK testpmd, io mode',
    sockets,
    cyclesSource: 'testpmd: show fwd stats all, record-core-cycles on (rounds that received frames)',
    begin: async () => void (await ask('clear fwd stats all')),
    end: async () => ({ cyclesPerFrame: parseForwardCycles(await ask('show fwd stats all')) ?? Number.NaN }),
    suspend: () => void sendSignal(talk.pid, 'SIGSTOP'),
    resume: () => void sendSignal(talk.pid, 'SIGCONT'),
  }
}
