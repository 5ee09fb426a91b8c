import type { HugepageNeed, MemoryPlan } from './plan.js'

/** Hugepages of some machines, added up per node and size; `onlyNode` is meant where a cell is not bound. */
export function sumHugepages(memories: MemoryPlan[], onlyNode: number): HugepageNeed[] {
  const sums = new Map<string, HugepageNeed>()
  for (const { backing, pageBytes, cells } of memories) {
    if (backing !== 'hugepages') continue
    for (const { hostNode, bytes } of cells) {
      const node = hostNode ?? onlyNode
      const key = `${node}/${pageBytes}`
      const pages = (sums.get(key)?.pages ?? 0) + bytes / pageBytes
      sums.set(key, { node, pageBytes, pages })
    }
  }
  return [...sums.values()].sort((a, b) => a.node - b.node || a.pageBytes - b.pageBytes)
}
