import { cellsOf, pageNeeds, readBytes } from '../hook/page-needs.js'
import { gib, mib, showSize } from '../spec/size.js'
import { attributeOf, elementsOf, find, textOf } from '../xml/xml.js'
import type { Taking } from './take-over.js'

const most = { cpus: 256, cells: 16 }

/** The vCPUs, the memory, what it is made of and on which nodes of the host. */
export function takeMemory(taking: Taking): Record<string, unknown> {
  const { domain, leave } = taking
  const vcpu = find(domain, 'vcpu')
  const cpus = Math.max(1, Number(textOf(vcpu)) || 1)
  const current = attributeOf(vcpu, 'current')
  if (current !== null && current !== String(cpus))
    leave(`${current} of ${cpus} vCPUs plugged in`, 'A machine begins with all of them.')
  if (cpus > most.cpus) leave(`${cpus} vCPUs`, `A machine has ${most.cpus} at most.`)
  const memory = find(domain, 'memory')
  const bytes = readBytes(textOf(memory), attributeOf(memory, 'unit'))
  const unit = Math.max(mib, ...pageNeeds(domain).map(({ pageBytes }) => pageBytes))
  const whole = Math.max(16 * mib, Math.ceil(bytes / unit) * unit)
  if (whole !== bytes)
    leave(
      `${bytes} bytes of memory`,
      `It becomes ${showSize(whole)}: a multiple of ${showSize(unit)}, at least 16M.`,
    )
  const ballooned = find(domain, 'currentMemory')
  if (ballooned !== null && readBytes(textOf(ballooned), attributeOf(ballooned, 'unit')) !== bytes)
    leave('currentMemory', 'There is no balloon: the guest gets all of its memory.')
  return {
    cpus: Math.min(cpus, most.cpus),
    memory: showSize(whole),
    ...takePages(taking),
    ...takeNodes(taking, whole),
  }
}

/** Somebody whose domain has none may like some; what a machine of ours has is kept as it is. */
function takePages({ domain, mark, leave }: Taking): Record<string, unknown> {
  const sizes = [...new Set(pageNeeds(domain).map(({ pageBytes }) => pageBytes))]
  const [size] = sizes
  if (size === undefined) return mark === null || mark.deployment === null ? {} : { hugepages: 'off' }
  if (sizes.length > 1 || (size !== 2 * mib && size !== gib)) {
    leave(`hugepages of ${sizes.map(showSize).join(' and ')}`, 'A machine has one size, 2M or 1G.')
    return { hugepages: 'required' }
  }
  return { hugepages: 'required', 'hugepage-size': showSize(size) }
}

/** Guest nodes that are each bound to one node of the host, and alike; else vhostkit chooses. */
function takeNodes({ domain, leave }: Taking, whole: number): Record<string, unknown> {
  const cells = cellsOf(domain)
  const numatune = find(domain, 'numatune')
  const nodes = cells.map(({ id }) => hostNode(domain, id))
  const bound = nodes.filter((node) => node !== null)
  if (bound.length === 0) {
    if (numatune !== null)
      leave('numatune', 'Only a strict binding to one node for each guest node is taken.')
    if (cells.length > 1)
      leave(
        `${cells.length} guest nodes`,
        'They are on no node of the host; a machine has guest nodes for those that it is on.',
      )
    return {}
  }
  if (bound.length < cells.length || cells.length > most.cells) {
    leave(
      `the binding of ${bound.length} of ${cells.length} guest nodes`,
      'All of them are bound, at most 16, or none.',
    )
    return {}
  }
  const even = cells.every(
    ({ bytes }) =>
      Math.abs(bytes - whole / cells.length) <=
      Math.max(2 * mib, ...pageNeeds(domain).map(({ pageBytes }) => pageBytes)),
  )
  if (!even) leave('guest nodes of different size', 'Memory is split evenly among them.')
  return { node: bound.length === 1 ? bound[0] : bound }
}

function hostNode(domain: Taking['domain'], cell: number): number | null {
  const numatune = find(domain, 'numatune')
  if (numatune === null) return null
  const own = elementsOf(numatune, 'memnode').find((node) => attributeOf(node, 'cellid') === String(cell))
  const chosen = own ?? find(numatune, 'memory')
  const nodeset = attributeOf(chosen, 'nodeset') ?? ''
  const mode = attributeOf(chosen, 'mode') ?? 'strict'
  return mode === 'strict' && /^\d{1,3}$/.test(nodeset) ? Number(nodeset) : null
}
