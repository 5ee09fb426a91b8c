import { join } from 'node:path'
import { Conversation } from '../conversation.js'
import { type Peer, PeerMissing, type SessionSetting } from '../peers/peer.js'
import { generatorCore, pinned } from '../pinned.js'
import { type Frontend, loadCommand } from './frontend.js'

/** One object a line is what bench-load says. */
export const jsonLine = /\{.*\}\n/

/** Entries of a ring: all rings together hold as much, so that ports cost ports and not cache. */
export function ringEntries(ports: number, largest: number): number {
  if (largest > 16384) return 256
  return Math.max(64, Math.min(1024, 2 ** Math.floor(Math.log2(2048 / ports))))
}

const slotBytes = 2048
const pageBytes = 2 * 1024 * 1024

/** Hugepages that the play VMs of one switch take: one for low memory, the rest for their rings. */
export function playPages(ports: number, largest: number): number {
  const send = Math.max(slotBytes, largest + 12)
  const bytes = ringEntries(ports, largest) * (256 + send + slotBytes) + 1024 * 1024
  return ports * (1 + Math.ceil(bytes / pageBytes))
}

/** Our own play VMs, on the ports of a switch. */
export async function attachOurs(peer: Peer, setting: SessionSetting): Promise<Frontend> {
  const { talk, offload } = await startBenchLoad(
    peer.name,
    peer.sockets,
    setting,
    peer.connects ? ['--listen'] : [],
  )
  if (setting.offload && !offload) {
    await talk.end()
    throw new PeerMissing('it does not offer TSO to both guests')
  }
  return {
    name: 'ours',
    load: async (shape, warm) => {
      talk.say(loadCommand(shape))
      await talk.hear(jsonLine, shape.warmMs + 5_000)
      await warm()
      const result = JSON.parse(await talk.hear(jsonLine, shape.windowMs + 5_000)) as Record<string, number>
      return { mpps: result.mpps ?? Number.NaN, generatorCycles: result.generator_cycles ?? null }
    },
    detach: () => talk.end(),
  }
}

export interface PlayVms {
  talk: Conversation
  /** Whether all of them agreed on TSO with the switch. */
  offload: boolean
}

/** Starts play VMs and waits until the switch has all of them. */
export async function startBenchLoad(
  name: string,
  sockets: readonly string[],
  setting: Pick<SessionSetting, 'ports' | 'largest' | 'hugepages' | 'offload' | 'signal' | 'belongings'>,
  more: readonly string[] = [],
): Promise<PlayVms> {
  const program = join(process.cwd(), 'native/build/bench/bench-load')
  const options = [
    '--ring',
    `${ringEntries(setting.ports, setting.largest)}`,
    '--largest',
    `${Math.max(1518, setting.largest)}`,
    ...(setting.hugepages ? ['--huge'] : []),
    ...(setting.offload ? ['--offload'] : []),
    ...more,
  ]
  const argv = pinned(generatorCore, [program, ...options, ...sockets])
  const talk = await Conversation.start(`bench-load (${name})`, argv, setting.signal)
  setting.belongings.add(`the play VMs on ${name}`, () => talk.end())
  const { offload } = JSON.parse(await talk.hear(jsonLine, 15_000)) as { offload: boolean }
  return { talk, offload }
}
