import type { Facts } from '../src/core/facts/facts.js'
import type { Live } from '../src/core/steps/steps.js'

/** A host where nothing of ours exists yet. */
export function emptyLive({ nodes }: Pick<Facts, 'nodes'>): Live {
  const hugepages = nodes.flatMap(({ id, hugepages: pools }) =>
    pools.map(({ pageBytes, free, total }) => ({ node: id, pageBytes, free, total })),
  )
  return {
    switch: null,
    hugepages,
    taps: [],
    dhcp: [],
    nat: [],
    ports: [],
    machines: [],
    files: [],
    reserved: [],
  }
}
