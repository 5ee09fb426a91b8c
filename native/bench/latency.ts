import { makeFolder } from '../../src/world/files.js'
import { Belongings } from './belongings.js'
import { jsonLine, startBenchLoad } from './frontends/ours.js'
import { type Contender, type Entrant, type Lineup, startAll } from './lineup.js'
import type { BenchOptions } from './options.js'
import { startOvs } from './peers/ovs.js'
import { startTestpmd } from './peers/testpmd.js'
import { startVhostkit } from './peers/vhostkit.js'
import type { BenchSetting } from './plans.js'
import type { LatencyRow, WakeFloor } from './result.js'
import { spreadOf } from './statistics.js'
import { groupBy } from './summary.js'
import { measureWake, summariseWake, type WakeRun } from './wake.js'

/** One run, as bench-load tells it. */
export interface LatencySample {
  peer: string
  load: LatencyRow['load']
  rate: number
  frames: number
  received: number
  unseen: number
  p50_us: number
  p99_us: number
  p999_us: number
  max_us: number
}

const size = 64
/** So few that an adaptive switch sleeps between two frames. */
const idleRate = 1000
const idleMs = 2000
const loadedMs = 500

/** Times frames through each switch, at idle and at a tenth of what ours moves at most. */
export async function measureLatency(
  folder: string,
  { rivals, runs }: Pick<BenchOptions, 'rivals' | 'runs'>,
  setting: BenchSetting,
): Promise<Lineup & { rows: LatencyRow[]; wakeFloor: WakeFloor }> {
  const belongings = new Belongings()
  const lineup: Lineup = { missing: [], versions: {} }
  try {
    await makeFolder(folder, 0o700)
    const base = { ...setting, folder, largest: size, offload: false, belongings }
    const contenders = await startAll(entrantsOf(rivals, setting.tscMhz), base, lineup, setting.say)
    if (rivals.includes('kernel'))
      lineup.missing.push({
        what: 'latency of kernel',
        why: 'on taps the guests and the switch are one thread: there is nothing to wait for',
      })
    const guests = await attachTo(contenders)
    const rate = Math.round((await saturate(guests[0])) / 10)
    const samples: LatencySample[] = []
    const wakes: WakeRun[] = []
    for (let round = 0; round < runs; round++) {
      setting.say(`latency: round ${round + 1} of ${runs}`)
      wakes.push(await measureWake(setting.signal))
      for (const guest of round % 2 === 0 ? guests : [...guests].reverse()) {
        samples.push(await measure(guest, 'idle', idleRate, idleMs))
        samples.push(await measure(guest, '10 %', rate, loadedMs))
      }
    }
    return { ...lineup, rows: summariseLatency(samples), wakeFloor: summariseWake(wakes) }
  } finally {
    for (const failure of await belongings.giveBack()) setting.say(failure)
  }
}

function entrantsOf(rivals: BenchOptions['rivals'], tscMhz: number): Entrant[] {
  const shape = { ports: 2, addresses: 1 }
  const starts = { ovs: startOvs, testpmd: startTestpmd }
  const ours = (['adaptive', 'poll'] as const).map((idle) => {
    const name = `vhostkit-${idle}`
    return {
      name,
      ...shape,
      start: (own: Parameters<Entrant['start']>[0]) => startVhostkit(own, tscMhz, { name, idle }),
    }
  })
  const others = rivals.filter((name) => name !== 'kernel')
  return [...ours, ...others.map((name) => ({ name, ...shape, start: starts[name] }))]
}

type Guests = Contender & Awaited<ReturnType<typeof startBenchLoad>>

async function attachTo(contenders: readonly Contender[]): Promise<Guests[]> {
  const guests: Guests[] = []
  for (const { peer, setting } of contenders) {
    peer.resume()
    guests.push({ peer, setting, ...(await startBenchLoad(peer.name, peer.sockets, setting)) })
    peer.suspend()
  }
  return guests
}

/** Frames a second of the first switch, which is ours. */
async function saturate(guests: Guests | undefined): Promise<number> {
  if (guests === undefined) return idleRate * 10
  guests.peer.resume()
  guests.talk.say(`both ${size} 1 200 500`)
  await guests.talk.hear(jsonLine, 5_000)
  const { mpps } = JSON.parse(await guests.talk.hear(jsonLine, 5_000)) as { mpps: number }
  guests.peer.suspend()
  return mpps * 1e6
}

async function measure(
  { peer, talk }: Guests,
  load: LatencyRow['load'],
  rate: number,
  ms: number,
): Promise<LatencySample> {
  peer.resume()
  try {
    talk.say(`latency ${size} ${rate} ${ms}`)
    const told = JSON.parse(await talk.hear(jsonLine, ms + 5_000)) as Omit<
      LatencySample,
      'peer' | 'load' | 'rate'
    >
    return { ...told, peer: peer.name, load, rate: Math.round(told.frames / (ms / 1000)) }
  } finally {
    peer.suspend()
  }
}

/** One row for each switch and load. */
export function summariseLatency(samples: readonly LatencySample[]): LatencyRow[] {
  return groupBy(samples, ({ peer, load }) => `${load} ${peer}`).map((group) => {
    const [{ peer, load }] = group
    const spread = (key: 'p50_us' | 'p99_us' | 'p999_us' | 'max_us') =>
      spreadOf(
        group.map((sample) => sample[key]),
        2,
      )
    const sum = (key: 'frames' | 'received' | 'unseen') =>
      group.reduce((total, sample) => total + sample[key], 0)
    return {
      peer,
      load,
      size,
      runs: group.length,
      rate: spreadOf(
        group.map((sample) => sample.rate),
        0,
      ).median,
      frames: sum('frames'),
      lost: sum('frames') - sum('received'),
      unseen: sum('unseen'),
      p50_us: spread('p50_us'),
      p99_us: spread('p99_us'),
      p999_us: spread('p999_us'),
      max_us: spread('max_us'),
    }
  })
}
