import type { Peer, SessionSetting } from '../peers/peer.js'

export const frontendNames = ['ours', 'virtio-user'] as const
export type FrontendName = (typeof frontendNames)[number]
/** Who plays the guests; on taps it is the kernel peer's own program. */
export type PlayerName = FrontendName | 'tap'

/** How the guests load the switch. */
export interface LoadShape {
  size: number
  /** Every guest sends, or only the first of each pair. */
  bothWays: boolean
  addresses: number
  /** Addresses are written anew into every frame, also when there is only one. */
  turns: boolean
  warmMs: number
  windowMs: number
}

export interface LoadFigures {
  mpps: number
  /** What the generator itself spent for each frame, where it can tell. */
  generatorCycles: number | null
}

/** Guests that are attached to all ports of one switch; asleep between two loads. */
export interface Frontend {
  name: PlayerName
  /** Loads the switch; `warm` is called when the window begins. */
  load(shape: LoadShape, warm: () => Promise<void>): Promise<LoadFigures>
  detach(): Promise<void>
}

export type AttachFrontend = (peer: Peer, setting: SessionSetting) => Promise<Frontend>

/** The line that bench-load and bench-kernel are told. */
export function loadCommand({ size, bothWays, addresses, turns, warmMs, windowMs }: LoadShape): string {
  const word = bothWays ? (turns ? 'turn' : 'both') : 'one'
  return `${word} ${size} ${addresses} ${warmMs} ${windowMs}`
}
