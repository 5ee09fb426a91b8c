import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VhostkitError } from '../../src/core/errors.js'
import { exists, removeFolder } from '../../src/world/files.js'
import { Belongings } from './belongings.js'
import { measureFloor } from './floor.js'
import { borrowHugepages } from './hugepages.js'
import { readMachine } from './machine.js'
import type { BenchOptions } from './options.js'
import { startOvs } from './peers/ovs.js'
import { startTestpmd } from './peers/testpmd.js'
import { startVhostkit } from './peers/vhostkit.js'
import type { BenchResult } from './result.js'
import { runSession, type SessionPlan, type Workload } from './session.js'
import { summariseFloor, summariseRatios, summariseRows } from './summary.js'

/** Hugepages of 2 MB for our play VMs, for each switch with DPDK, and for the virtio-user guests of one. */
const pagesFor = { ours: 64, ovs: 384, testpmd: 128, guests: 64 }

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
    const noPages = await borrowHugepages(pagesWanted(options), belongings)
    const { tscMhz } = await measureFloor([64], 20, false, signal)
    const result: BenchResult = {
      machine: await readMachine(tscMhz, noPages === null),
      versions: {},
      floor: [],
      rows: [],
      ratios: [],
      missing: noPages === null ? [] : [{ what: 'hugepages', why: noPages }],
    }
    const floors = []
    for (const sizes of sizeClasses(options.sizes)) {
      const plan = planSession(
        options,
        sizes,
        join(base, `${sizes[0]}`),
        tscMhz,
        noPages === null,
        signal,
        say,
      )
      const session = await runSession(plan)
      result.rows.push(...summariseRows(session.samples, plan, tscMhz))
      result.ratios.push(...summariseRatios(session.samples))
      result.missing.push(...session.missing)
      Object.assign(result.versions, session.versions)
      floors.push(...session.floor)
    }
    result.floor = summariseFloor(floors)
    return result
  } finally {
    for (const failure of await belongings.giveBack()) say(failure)
  }
}

/** Jumbo frames need other buffers in some switches, which would cost the small frames: a session each. */
export function sizeClasses(sizes: readonly number[]): number[][] {
  return [sizes.filter((size) => size <= 1518), sizes.filter((size) => size > 1518)].filter(
    ({ length }) => length > 0,
  )
}

function pagesWanted({ rivals, frontends }: BenchOptions): number {
  const switches = rivals.reduce((sum, rival) => sum + pagesFor[rival], 0)
  return (
    pagesFor.ours + switches + (frontends.includes('virtio-user') ? pagesFor.guests * (rivals.length + 1) : 0)
  )
}

function planSession(
  options: BenchOptions,
  sizes: readonly number[],
  folder: string,
  tscMhz: number,
  hugepages: boolean,
  signal: AbortSignal,
  say: (line: string) => void,
): SessionPlan {
  const { runs, windowMs, frontends, rivals, against } = options
  const starts = { ovs: startOvs, testpmd: startTestpmd }
  const old = { name: 'vhostkit-old', program: against ?? '' }
  return {
    folder,
    ports: 2,
    addresses: 1,
    offload: false,
    hugepages,
    workloads: sizes.flatMap((size) => options.workloads.map((name) => workloadOf(name, size))),
    frontends,
    runs,
    windowMs,
    switches: [
      { name: 'vhostkit', start: (setting) => startVhostkit(setting, tscMhz) },
      ...(against === null
        ? []
        : [
            {
              name: old.name,
              start: (setting: Parameters<typeof startVhostkit>[0]) => startVhostkit(setting, tscMhz, old),
            },
          ]),
      ...rivals.map((name) => ({ name, start: starts[name] })),
    ],
    signal,
    say,
  }
}

/** virtio-user sends back what it gets, so it knows no one-way; its buffers take no jumbo frames. */
function workloadOf(name: BenchOptions['workloads'][number], size: number): Workload {
  const bothWays = name === 'vm-vm'
  return { name, size, bothWays, frontends: bothWays && size <= 1518 ? ['ours', 'virtio-user'] : ['ours'] }
}

async function requireBuild(): Promise<void> {
  for (const name of ['vhostkit-switch', 'bench/bench-load', 'bench/bench-floor']) {
    if (await exists(join('native/build', name))) continue
    throw new VhostkitError('switch-missing', { sentence: `native/build/${name} is not there.` })
  }
}
