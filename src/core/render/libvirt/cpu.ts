import type { MachinePlan, Plan } from '../../plan/plan.js'
import { element, type XmlElement } from '../../xml/xml.js'
import { renderSet } from './number-set.js'

/** The processor, and the guest's nodes: each says itself that its memory is shared, for it inherits nothing. */
export function renderCpu({ accel }: Plan, { cpus, memory }: MachinePlan): XmlElement {
  const cells = memory.cells.map(({ guestNode, cpus: own, bytes }) =>
    element('cell', {
      id: guestNode,
      cpus: renderSet(own),
      memory: bytes / 1024,
      unit: 'KiB',
      memAccess: 'shared',
    }),
  )
  // A socket for each node, so that the guest's scheduler sees them.
  const sockets = cpus % cells.length === 0 ? cells.length : 1
  return element(
    'cpu',
    { mode: accel === 'kvm' ? 'host-passthrough' : 'maximum', check: 'none' },
    element('topology', { sockets, dies: 1, cores: cpus / sockets, threads: 1 }),
    element('numa', {}, ...cells),
  )
}
