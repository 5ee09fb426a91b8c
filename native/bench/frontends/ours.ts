import { join } from 'node:path'
import { Conversation } from '../conversation.js'
import type { Peer, SessionSetting } from '../peers/peer.js'
import { generatorCore, pinned } from '../pinned.js'
import type { Frontend } from './frontend.js'

/** One object a line is what bench-load says. */
export const jsonLine = /\{.*\}\n/

/** Entries of a ring: all rings together hold as much, so that ports cost ports and not cache. */
export function ringEntries(ports: number, largest: number): number {
  if (largest > 16384) return 256
  return Math.max(64, Math.min(1024, 2 ** Math.floor(Math.log2(2048 / ports))))
}

/** Our own play VMs, on the ports of a switch. */
export async function attachOurs(peer: Peer, setting: SessionSetting): Promise<Frontend> {
  const talk = await startBenchLoad(peer.name, peer.sockets, setting)
  return {
    name: 'ours',
    load: async ({ size, bothWays, addresses, warmMs, windowMs }, warm) => {
      talk.say(`${bothWays ? 'both' : 'one'} ${size} ${addresses} ${warmMs} ${windowMs}`)
      await talk.hear(jsonLine, warmMs + 5_000)
      await warm()
      const result = JSON.parse(await talk.hear(jsonLine, windowMs + 5_000)) as Record<string, number>
      return { mpps: result.mpps ?? Number.NaN, generatorCycles: result.generator_cycles ?? null }
    },
    detach: () => talk.end(),
  }
}

export async function startBenchLoad(
  name: string,
  sockets: readonly string[],
  setting: Pick<SessionSetting, 'ports' | 'largest' | 'hugepages' | 'offload' | 'signal' | 'belongings'>,
  more: readonly string[] = [],
): Promise<Conversation> {
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
  // With --listen it is attached only when a switch comes: then the caller waits for it.
  if (!more.includes('--listen')) await talk.hear(jsonLine, 15_000)
  return talk
}
