import { join } from 'node:path'
import { makeFolder } from '../../src/world/files.js'
import { Belongings } from './belongings.js'
import { measureFloor } from './floor.js'
import type { Frontend, FrontendName, LoadShape } from './frontends/frontend.js'
import { attachOurs } from './frontends/ours.js'
import { attachVirtioUser } from './frontends/virtio-user.js'
import { type Peer, PeerMissing, type SessionSetting } from './peers/peer.js'
import type { Missing } from './result.js'

/** One measurement. */
export interface Sample {
  peer: string
  frontend: FrontendName
  workload: string
  size: number
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
  frontends: readonly FrontendName[]
}

export interface SessionPlan {
  folder: string
  ports: number
  addresses: number
  offload: boolean
  hugepages: boolean
  workloads: Workload[]
  frontends: FrontendName[]
  runs: number
  windowMs: number
  /** Starts of the switches, each under the name it has in the results. */
  switches: { name: string; start(setting: SessionSetting): Promise<Peer> }[]
  signal: AbortSignal
  say(line: string): void
}

export interface SessionResult {
  samples: Sample[]
  floor: { size: number; cycles: number }[]
  missing: Missing[]
  versions: Record<string, string>
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
  const result: SessionResult = { samples: [], floor: [], missing: [], versions: {} }
  try {
    await makeFolder(plan.folder, 0o700)
    const setting: SessionSetting = {
      ...plan,
      largest: Math.max(...plan.workloads.map(({ size }) => size)),
      belongings,
    }
    const peers = await startPeers(plan, setting, result)
    for (const frontend of plan.frontends) await runRounds(plan, setting, peers, frontend, result)
    return result
  } finally {
    for (const failure of await belongings.giveBack()) plan.say(failure)
  }
}

async function startPeers(
  plan: SessionPlan,
  setting: SessionSetting,
  result: SessionResult,
): Promise<Peer[]> {
  const peers: Peer[] = []
  for (const { name, start } of plan.switches) {
    try {
      const folder = join(plan.folder, name)
      await makeFolder(folder, 0o700)
      const peer = await start({ ...setting, folder })
      peer.suspend()
      peers.push(peer)
      result.versions[peer.name] = peer.version
    } catch (error) {
      leaveOut(name, error, result, plan)
    }
  }
  return peers
}

async function runRounds(
  plan: SessionPlan,
  setting: SessionSetting,
  peers: readonly Peer[],
  frontend: FrontendName,
  result: SessionResult,
): Promise<void> {
  const workloads = plan.workloads.filter(({ frontends }) => frontends.includes(frontend))
  if (workloads.length === 0) return
  const pairs = await attachAll(plan, setting, peers, frontend, result)
  for (let round = 0; round < plan.runs; round++) {
    plan.say(`${frontend}: round ${round + 1} of ${plan.runs}`)
    const sizes = [...new Set(workloads.map(({ size }) => size))]
    const { cycles } = await measureFloor(sizes, floorMs, plan.hugepages, plan.signal)
    for (const size of sizes) result.floor.push({ size, cycles: cycles.get(size) ?? Number.NaN })
    for (const workload of workloads) {
      // Every other round in the other order, so that none is always the first.
      const order = round % 2 === 0 ? pairs : [...pairs].reverse()
      for (const pair of order) result.samples.push(await measure(plan, pair, workload, round))
    }
  }
  for (const { peer, guests } of pairs) {
    peer.resume()
    await guests.detach()
    peer.suspend()
  }
}

interface Pair {
  peer: Peer
  guests: Frontend
}

async function attachAll(
  plan: SessionPlan,
  setting: SessionSetting,
  peers: readonly Peer[],
  frontend: FrontendName,
  result: SessionResult,
): Promise<Pair[]> {
  const attach = frontend === 'ours' ? attachOurs : attachVirtioUser
  const pairs: Pair[] = []
  for (const peer of peers) {
    peer.resume()
    try {
      pairs.push({ peer, guests: await attach(peer, setting) })
    } catch (error) {
      leaveOut(`${frontend} on ${peer.name}`, error, result, plan)
    }
    peer.suspend()
  }
  return pairs
}

/** What is not there is left out, with its reason; what fails though it is there fails the bench. */
function leaveOut(what: string, error: unknown, result: SessionResult, plan: SessionPlan): void {
  if (!(error instanceof PeerMissing)) throw error
  result.missing.push({ what, why: error.message })
  plan.say(`${what} is left out: ${error.message}`)
}

async function measure(
  plan: SessionPlan,
  { peer, guests }: Pair,
  workload: Workload,
  round: number,
): Promise<Sample> {
  const shape: LoadShape = {
    size: workload.size,
    bothWays: workload.bothWays,
    addresses: plan.addresses,
    warmMs,
    windowMs: plan.windowMs,
  }
  peer.resume()
  try {
    const { mpps, generatorCycles } = await guests.load(shape, () => peer.begin())
    const { cyclesPerFrame } = await peer.end()
    const { name, size } = workload
    const labels = { peer: peer.name, frontend: guests.name, workload: name, size, round }
    return { ...labels, mpps, cyclesPerFrame, generatorCycles, cyclesSource: peer.cyclesSource }
  } finally {
    peer.suspend()
  }
}
