import type { MachinePlan } from '../../plan/plan.js'
import { element, type XmlElement } from '../../xml/xml.js'
import { renderSet } from './number-set.js'

/** Host nodes of the guest's nodes, strictly; null when nothing is bound. */
export function renderNumaTune({ memory }: MachinePlan): XmlElement | null {
  const bound = memory.cells.flatMap(({ guestNode, hostNode }) =>
    hostNode === null ? [] : [{ guestNode, hostNode }],
  )
  if (bound.length === 0) return null
  const nodes = bound.map(({ hostNode }) => hostNode)
  const cells = bound.map(({ guestNode, hostNode }) =>
    element('memnode', { cellid: guestNode, mode: 'strict', nodeset: hostNode }),
  )
  return element('numatune', {}, element('memory', { mode: 'strict', nodeset: renderSet(nodes) }), ...cells)
}
