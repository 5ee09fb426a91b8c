import type { CrossingWatch } from './crossing.js'
import type { Crossing, FloorRow, RatioRow, Row } from './result.js'
import type { Sample } from './session.js'
import { median, spreadOf } from './statistics.js'

/** One row for what was measured alike, in the order in which it came. */
export function summariseRows(samples: readonly Sample[], tscMhz: number): Row[] {
  return groupBy(
    samples,
    ({ peer, frontend, workload, size, ports, addresses }) =>
      `${frontend} ${workload} ${size} ${peer} ${ports} ${addresses}`,
  ).map((group) => {
    const [first] = group
    const mpps = spreadOf(group.map((sample) => sample.mpps))
    const cycles = spreadOf(
      group.map((sample) => sample.cyclesPerFrame),
      1,
    )
    const busy = median(group.map((sample) => (sample.cyclesPerFrame * sample.mpps) / tscMhz))
    const own = group.map((sample) => sample.generatorCycles).filter((value) => value !== null)
    return {
      peer: first.peer,
      frontend: first.frontend,
      workload: first.workload,
      size: first.size,
      ports: first.ports,
      addresses: first.addresses,
      runs: group.length,
      mpps,
      cycles_per_frame: cycles,
      busy: Number(busy.toFixed(3)),
      cycles_source: first.cyclesSource,
      generator_cycles: own.length === 0 ? null : Number(median(own).toFixed(1)),
    }
  })
}

/**
 * Frames of vhostkit for each frame of another, run by run: what moved the whole machine moved both.
 * The kernel's taps are compared with vhostkit under our own front end.
 */
export function summariseRatios(samples: readonly Sample[]): RatioRow[] {
  const others = samples.filter(({ peer }) => peer !== 'vhostkit')
  const ours = samples.filter(({ peer }) => peer === 'vhostkit')
  return groupBy(
    others,
    ({ peer, frontend, workload, size }) => `${frontend} ${workload} ${size} ${peer}`,
  ).flatMap((group) => {
    const [{ peer, frontend, workload, size }] = group
    const ratios = group.flatMap((sample) => {
      const beside = ours.find(
        (our) =>
          our.frontend === (frontend === 'tap' ? 'ours' : frontend) &&
          our.workload === workload &&
          our.size === size &&
          our.round === sample.round,
      )
      return beside === undefined ? [] : [beside.mpps / sample.mpps]
    })
    return ratios.length === 0 ? [] : [{ peer, frontend, workload, size, mpps: spreadOf(ratios) }]
  })
}

export function summariseFloor(samples: readonly { size: number; cycles: number }[]): FloorRow[] {
  return groupBy(samples, ({ size }) => `${size}`).map((group) => {
    const {
      median: cycles,
      min,
      max,
    } = spreadOf(
      group.map((sample) => sample.cycles),
      1,
    )
    return { size: group[0].size, cycles, min, max }
  })
}

export function summariseCrossing(watches: readonly CrossingWatch[]): Crossing {
  return {
    ns: spreadOf(
      watches.flatMap(({ seen }) => seen),
      1,
    ),
    repeated: watches.reduce((sum, { repeated }) => sum + repeated, 0),
  }
}

export function groupBy<T>(items: readonly T[], key: (item: T) => string): [T, ...T[]][] {
  const groups = new Map<string, [T, ...T[]]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return [...groups.values()]
}
