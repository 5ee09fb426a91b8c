import type { MachinePlan } from '../../plan/plan.js'
import { showSize } from '../../spec/size.js'
import { renderOptions } from './options.js'

/**
 * The guest's memory, one shared object for each of its nodes: whatever is not
 * shared the switch could not see, and the ports would stay silent.
 */
export function renderMemory({ memory }: MachinePlan): string[] {
  const huge = memory.backing === 'hugepages'
  const objects = memory.cells.flatMap(({ guestNode, hostNode, bytes }) => [
    '-object',
    renderOptions('memory-backend-memfd', {
      id: `mem${guestNode}`,
      size: showSize(bytes),
      share: true,
      hugetlb: huge ? true : null,
      hugetlbsize: huge ? showSize(memory.pageBytes) : null,
      // Missing hugepages must end QEMU at its start, not the guest at its first touch.
      prealloc: huge ? true : null,
      'host-nodes': hostNode,
      policy: hostNode === null ? null : 'bind',
    }),
  ])
  const nodes = memory.cells.flatMap(({ guestNode, cpus }) => {
    const first = cpus[0] ?? 0
    const last = cpus.at(-1) ?? first
    const range = first === last ? String(first) : `${first}-${last}`
    return ['-numa', renderOptions('node', { nodeid: guestNode, cpus: range, memdev: `mem${guestNode}` })]
  })
  return ['-m', showSize(memory.bytes).replace(/^(\d+)$/, '$1B'), ...objects, ...nodes]
}
