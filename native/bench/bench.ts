import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VhostkitError } from '../../src/core/errors.js'
import { exists, removeFolder } from '../../src/world/files.js'
import { Belongings } from './belongings.js'
import type { CrossingWatch } from './crossing.js'
import { measureFloor } from './floor.js'
import { summariseGrowth } from './growth.js'
import { borrowHugepages } from './hugepages.js'
import { measureLatency } from './latency.js'
import { readMachine } from './machine.js'
import type { BenchOptions } from './options.js'
import { measureOutage } from './outage.js'
import { type BenchSetting, pagesWanted, planSession, planSessions } from './plans.js'
import { measureQuiet } from './quiet.js'
import type { BenchResult } from './result.js'
import { runSession } from './session.js'
import { summariseCrossing, summariseFloor, summariseRatios, summariseRows } from './summary.js'

/** Measures what was asked for; everything it starts and takes is gone again afterwards. */
export async function runBench(
  options: BenchOptions,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<BenchResult> {
  await requireBuild()
  const belongings = new Belongings()
  try {
    const base = await mkdtemp(join(tmpdir(), 'vhostkit-bench-'))
    belongings.add(base, () => removeFolder(base))
    const noPages = await borrowHugepages(pagesWanted(planSessions(options), options), belongings)
    const { tscMhz } = await measureFloor([64], 20, false, signal)
    const setting: BenchSetting = { tscMhz, hugepages: noPages === null, signal, say }
    const result: BenchResult = {
      machine: await readMachine(tscMhz, setting.hugepages),
      versions: {},
      floor: [],
      rows: [],
      ratios: [],
      missing: noPages === null ? [] : [{ what: 'hugepages', why: noPages }],
    }
    await measureThroughput(result, options, base, setting)
    if (options.workloads.includes('latency')) {
      const { rows, wakeFloor, missing, versions } = await measureLatency(
        join(base, 'latency'),
        options,
        setting,
      )
      result.latency = rows
      result.wake_floor = wakeFloor
      result.missing.push(...missing)
      Object.assign(result.versions, versions)
    }
    if (options.workloads.includes('quiet'))
      result.quiet = await measureQuiet(join(base, 'quiet'), options.runs, setting)
    if (options.workloads.includes('outage'))
      result.outage = await measureOutage(join(base, 'outage'), options.kills, setting)
    return result
  } finally {
    for (const failure of await belongings.giveBack()) say(failure)
  }
}

async function measureThroughput(
  result: BenchResult,
  options: BenchOptions,
  base: string,
  setting: BenchSetting,
): Promise<void> {
  const floors = []
  const crossings: CrossingWatch[] = []
  for (const wish of planSessions(options)) {
    setting.say(`session ${wish.name}`)
    const { plan, absent } = planSession(wish, options, join(base, wish.name), setting)
    result.missing.push(...absent)
    const session = await runSession(plan)
    result.rows.push(...summariseRows(session.samples, setting.tscMhz))
    if (wish.shapes.length > 1)
      result.growth = [...(result.growth ?? []), ...summariseGrowth(session.samples)]
    else result.ratios.push(...summariseRatios(session.samples))
    result.missing.push(...session.missing)
    Object.assign(result.versions, session.versions)
    floors.push(...session.floor)
    crossings.push(session.crossing)
  }
  result.floor = summariseFloor(floors)
  if (crossings.length > 0) result.crossing = summariseCrossing(crossings)
}

const programs = [
  'vhostkit-switch',
  ...['load', 'floor', 'crossing', 'kernel', 'wake'].map((name) => `bench/bench-${name}`),
]

async function requireBuild(): Promise<void> {
  for (const name of programs) {
    if (await exists(join('native/build', name))) continue
    throw new VhostkitError('switch-missing', { sentence: `native/build/${name} is not there.` })
  }
}
