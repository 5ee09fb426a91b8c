import type { FrontendName } from './frontends/frontend.js'
import type { Machine } from './machine.js'
import type { Spread } from './statistics.js'

/** One workload of one switch under one front end. */
export interface Row {
  peer: string
  frontend: FrontendName | 'tap'
  workload: string
  size: number
  ports: number
  addresses: number
  runs: number
  mpps: Spread
  cycles_per_frame: Spread
  /** Fraction of the switch's core. */
  busy: number
  cycles_source: string
  /** Cycles of the generator's own for each frame; null where it cannot tell. */
  generator_cycles: number | null
}

export interface FloorRow {
  size: number
  cycles: number
  min: number
  max: number
}

/** vhostkit against another switch, each run against the one beside it. */
export interface RatioRow {
  peer: string
  frontend: FrontendName
  workload: string
  size: number
  mpps: Spread
}

export interface Missing {
  what: string
  why: string
}

/** What `--json` prints. */
export interface BenchResult {
  machine: Machine
  versions: Record<string, string>
  floor: FloorRow[]
  rows: Row[]
  ratios: RatioRow[]
  missing: Missing[]
}
