import type { MachinePlan } from '../../plan/plan.js'
import { element, type XmlElement } from '../../xml/xml.js'

/**
 * Memory from memfd, shared, of hugepages or not: the switch maps what QEMU hands
 * it. Without the source libvirt would put shared memory into a file on the disk.
 */
export function renderMemoryBacking({ memory }: MachinePlan): XmlElement {
  const huge = memory.backing === 'hugepages'
  const pages = memory.cells.map(({ guestNode }) =>
    element('page', { size: memory.pageBytes / 1024, unit: 'KiB', nodeset: guestNode }),
  )
  return element(
    'memoryBacking',
    {},
    huge ? element('hugepages', {}, ...pages) : null,
    element('source', { type: 'memfd' }),
    element('access', { mode: 'shared' }),
    // Missing hugepages must end QEMU at its start, not the guest at its first touch.
    element('allocation', { mode: huge ? 'immediate' : 'ondemand' }),
  )
}
