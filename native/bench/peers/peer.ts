import type { Belongings } from '../belongings.js'
import type { Frontend } from '../frontends/frontend.js'

export const peerNames = ['vhostkit', 'ovs', 'testpmd', 'kernel'] as const
export type PeerName = (typeof peerNames)[number]

/** What every switch is given for one session. */
export interface SessionSetting {
  /** A folder of this session's own; sockets lie in it. */
  folder: string
  /** How many ports; each sends to its neighbour. */
  ports: number
  /** The largest frame. */
  largest: number
  /** Addresses behind each port. */
  addresses: number
  /** Checksum and TSO offloads between the guests. */
  offload: boolean
  hugepages: boolean
  signal: AbortSignal
  belongings: Belongings
}

/** What the core of a switch did in a window. */
export interface SwitchWork {
  /** TSC cycles of work for each frame. */
  cyclesPerFrame: number
}

/** A running switch. */
export interface Peer {
  name: string
  version: string
  /** Its sockets, one for each port. */
  sockets: string[]
  /** It connects to them; else it listens on them. */
  connects: boolean
  /** How the cycles were obtained. */
  cyclesSource: string
  /** A window begins: what was counted before does not count. */
  begin(): Promise<void>
  end(): Promise<SwitchWork>
  /** Where the guests are a part of it. */
  guests?: Frontend
  /** Off its core while others are measured, and on again. */
  suspend(): void
  resume(): void
}

/** A peer that cannot take part, and what to do about it. */
export class PeerMissing extends Error {}
