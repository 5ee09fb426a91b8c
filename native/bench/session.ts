import { makeFolder } from '../../src/world/files.js'
import { Belongings } from './belongings.js'
import { type CrossingWatch, measureCrossing, measureInOneMode } from './crossing.js'
import { measureFloor } from './floor.js'
import type { FrontendName, LoadShape, PlayerName } from './frontends/frontend.js'
import { attachAll, type Entrant, type Pair, startAll } from './lineup.js'
import type { Missing } from './result.js'
import { measureUntilTold } from './told.js'

/** One measurement. */
export interface Sample {
  peer: string
  frontend: PlayerName
  workload: string
  size: number
  ports: number
  addresses: number
  round: number
  mpps: number
  cyclesPerFrame: number
  generatorCycles: number | null
  cyclesSource: string
}

export interface Workload {
  name: string
  size: number
  bothWays: boolean
  turns: boolean
  frontends: readonly FrontendName[]
}

export interface SessionPlan {
  folder: string
  offload: boolean
  hugepages: boolean
  workloads: Workload[]
  frontends: FrontendName[]
  runs: number
  windowMs: number
  entrants: Entrant[]
  signal: AbortSignal
  say(line: string): void
}

export interface SessionResult {
  samples: Sample[]
  floor: { size: number; cycles: number }[]
  missing: Missing[]
  versions: Record<string, string>
  crossing: CrossingWatch
}

/** A guest needs this long until the switch has learnt its addresses and its caches are as they will be. */
const warmMs = 200
const floorMs = 60

/**
 * Starts all switches, attaches guests to each, and measures them in turn: in each round every
 * size on every switch, so that what is compared was measured within seconds.
 * The others stand still meanwhile (SIGSTOP): one core is all there is for a switch.
 */
export async function runSession(plan: SessionPlan): Promise<SessionResult> {
  const belongings = new Belongings()
  // At most twice the time of a session in which nothing is measured again.
  const crossing = { seen: [], spare: plan.runs * plan.workloads.length, repeated: 0 }
  const result: SessionResult = { samples: [], floor: [], missing: [], versions: {}, crossing }
  try {
    await makeFolder(plan.folder, 0o700)
    const largest = Math.max(...plan.workloads.map(({ size }) => size))
    const contenders = await startAll(plan.entrants, { ...plan, largest, belongings }, result, plan.say)
    const players = plan.frontends.filter((name) =>
      plan.workloads.some(({ frontends }) => frontends.includes(name)),
    )
    for (const frontend of players) {
      const pairs = await attachAll(contenders, frontend, frontend === players[0], result, plan.say)
      await runRounds(plan, pairs, frontend, result)
    }
    return result
  } finally {
    for (const failure of await belongings.giveBack()) plan.say(failure)
  }
}

async function runRounds(
  plan: SessionPlan,
  pairs: readonly Pair[],
  frontend: FrontendName,
  result: SessionResult,
): Promise<void> {
  const workloads = plan.workloads.filter(({ frontends }) => frontends.includes(frontend))
  for (let round = 0; round < plan.runs; round++) {
    plan.say(`${frontend}: round ${round + 1} of ${plan.runs}`)
    const sizes = [...new Set(workloads.map(({ size }) => size))]
    const { cycles } = await measureFloor(sizes, floorMs, plan.hugepages, plan.signal)
    for (const size of sizes) result.floor.push({ size, cycles: cycles.get(size) ?? Number.NaN })
    for (const workload of workloads) {
      // Every other round in the other order, so that none is always the first.
      const order = round % 2 === 0 ? pairs : [...pairs].reverse()
      const cross = () => measureCrossing(plan.signal)
      const measures = order.map(
        (pair) => () => measureUntilTold(() => measure(plan, pair, workload, round), plan.say),
      )
      result.samples.push(...(await measureInOneMode(result.crossing, cross, measures, plan.say)))
    }
  }
  for (const { peer, guests } of pairs) {
    peer.resume()
    await guests.detach()
    peer.suspend()
  }
}

async function measure(
  plan: SessionPlan,
  { peer, setting, guests }: Pair,
  { name, size, bothWays, turns }: Workload,
  round: number,
): Promise<Sample> {
  const { ports, addresses } = setting
  const shape: LoadShape = { size, bothWays, addresses, turns, warmMs, windowMs: plan.windowMs }
  peer.resume()
  try {
    const { mpps, generatorCycles } = await guests.load(shape, () => peer.begin())
    const { cyclesPerFrame } = await peer.end()
    const labels = { peer: peer.name, frontend: guests.name, workload: name, size, ports, addresses, round }
    return { ...labels, mpps, cyclesPerFrame, generatorCycles, cyclesSource: peer.cyclesSource }
  } finally {
    peer.suspend()
  }
}
