import type { Facts, NumaNode } from '../facts/facts.js'
import { showRanges } from '../render/show-plan.js'
import { gib, showSize } from '../spec/size.js'

/** The host as the wizard shows it: a line for each NUMA node. */
export function showNodes({ nodes }: Facts): string[] {
  return nodes.map(({ id, cpus, memoryBytes, freeBytes }) => {
    const memory = `${showGib(freeBytes)} of ${showGib(memoryBytes)} GiB free`
    return `node ${id}: ${cpus.length} CPUs (${showRanges(cpus)}), ${memory}`
  })
}

export function showPages({ nodes, canReserveHugepages }: Facts): string[] {
  const more = canReserveHugepages ? '; more can be reserved' : ''
  return nodes.map((node) => `node ${node.id}: ${showPools(node)}${more}`)
}

function showPools({ hugepages }: NumaNode): string {
  const pools = hugepages.filter(({ total }) => total > 0)
  if (pools.length === 0) return 'no hugepages'
  return pools
    .map(({ pageBytes, total, free }) => `${free} of ${total} hugepages of ${showSize(pageBytes)} free`)
    .join(', ')
}

function showGib(bytes: number): string {
  return (bytes / gib).toFixed(1)
}
