import type { PlayerName } from './frontends/frontend.js'
import type { Machine } from './machine.js'
import type { Spread } from './statistics.js'

/** One workload of one switch under one front end. */
export interface Row {
  peer: string
  frontend: PlayerName
  workload: string
  size: number
  ports: number
  /** Behind each port. */
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
  frontend: PlayerName
  workload: string
  size: number
  mpps: Spread
}

/** What a frame costs with more ports or addresses, for each cycle with the fewest, run by run. */
export interface GrowthRow {
  peer: string
  workload: string
  ports: number
  addresses: number
  cycles: Spread
}

/** The time of a frame from one guest to the other. */
export interface LatencyRow {
  peer: string
  load: 'idle' | '10 %'
  size: number
  runs: number
  /** Frames a second, both directions together. */
  rate: number
  /** Of all runs together. */
  frames: number
  lost: number
  /** Frames not timed, as the generator itself was held up meanwhile. */
  unseen: number
  p50_us: Spread
  p99_us: Spread
  p999_us: Spread
  max_us: Spread
}

/** Waking a sleeping thread on another core, without any switch. */
export interface WakeFloor {
  runs: number
  p50_us: Spread
  p99_us: Spread
  p999_us: Spread
}

/** What our switch costs when nothing moves. */
export interface QuietFigures {
  ports: number
  runs: number
  /** Of one core. */
  cpu_percent: Spread
  /** Resident memory without the guests'. */
  rss_mb: Spread
  /** From its start until it answers, without ports. */
  start_ms: Spread
  /** The same with all ports in its state file. */
  restart_ms: Spread
}

/** How long guests stand still when our switch is killed under load. */
export interface OutageFigures {
  kills: number
  p50_ms: number
  p99_ms: number
  max_ms: number
  /** Each of them, sorted. */
  all_ms: number[]
}

/** A cache line's way from the generator's core to the switch's: the machine's mode. */
export interface Crossing {
  ns: Spread
  /** Rounds measured again, as the mode had changed within them. */
  repeated: number
}

export interface Missing {
  what: string
  why: string
}

/** What `--json` prints; the optional ones only when their workload was asked for. */
export interface BenchResult {
  machine: Machine
  versions: Record<string, string>
  floor: FloorRow[]
  rows: Row[]
  ratios: RatioRow[]
  missing: Missing[]
  crossing?: Crossing
  growth?: GrowthRow[]
  latency?: LatencyRow[]
  wake_floor?: WakeFloor
  quiet?: QuietFigures
  outage?: OutageFigures
}
