import type { GrowthRow } from './result.js'
import type { Sample } from './session.js'
import { spreadOf } from './statistics.js'
import { groupBy } from './summary.js'

/**
 * Cycles of a frame with more ports or addresses, for each cycle with two ports and one address behind
 * each, measured in the same round.
 */
export function summariseGrowth(samples: readonly Sample[]): GrowthRow[] {
  const isBase = ({ ports, addresses }: Sample) => ports === 2 && addresses === 1
  const bases = samples.filter(isBase)
  const others = samples.filter((sample) => !isBase(sample))
  return groupBy(
    others,
    ({ peer, workload, ports, addresses }) => `${peer} ${workload} ${ports} ${addresses}`,
  ).flatMap((group) => {
    const [{ peer, workload, ports, addresses }] = group
    const ratios = group.flatMap((sample) => {
      const base = bases.find(
        (other) => other.peer === peer && other.workload === workload && other.round === sample.round,
      )
      return base === undefined ? [] : [sample.cyclesPerFrame / base.cyclesPerFrame]
    })
    return ratios.length === 0 ? [] : [{ peer, workload, ports, addresses, cycles: spreadOf(ratios) }]
  })
}
