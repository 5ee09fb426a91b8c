import { attributeOf, elementsOf, find, textOf, type XmlElement } from '../xml/xml.js'

/** Hugepages of one size; `node` null = the definition binds them to none. */
export interface PageNeed {
  node: number | null
  pageBytes: number
  pages: number
}

/** libvirt's units of memory; without one it is KiB. */
const units: Record<string, number> = {
  b: 1,
  bytes: 1,
  KB: 1000,
  k: 1024,
  KiB: 1024,
  MB: 1000 ** 2,
  M: 1024 ** 2,
  MiB: 1024 ** 2,
  GB: 1000 ** 3,
  G: 1024 ** 3,
  GiB: 1024 ** 3,
  TB: 1000 ** 4,
  T: 1024 ** 4,
  TiB: 1024 ** 4,
}

/** What the kernel's pools must have for a domain, per node and size; empty without hugepages. */
export function pageNeeds(domain: XmlElement): PageNeed[] {
  const hugepages = find(domain, 'memoryBacking', 'hugepages')
  if (hugepages === null) return []
  const cells = cellsOf(domain)
  const sums = new Map<string, PageNeed>()
  for (const { id, bytes } of cells) {
    const pageBytes = pageSizeOf(hugepages, id)
    if (pageBytes === null) continue
    const node = hostNodeOf(domain, id)
    const key = `${node}/${pageBytes}`
    const pages = (sums.get(key)?.pages ?? 0) + Math.ceil(bytes / pageBytes)
    sums.set(key, { node, pageBytes, pages })
  }
  return [...sums.values()]
}

/** Guest nodes with their memory; a domain without any has all of it in node 0. */
export function cellsOf(domain: XmlElement): { id: number; bytes: number }[] {
  const cells = elementsOf(find(domain, 'cpu', 'numa') ?? domain, 'cell')
  if (cells.length > 0) {
    return cells.map((cell, index) => ({
      id: Number(attributeOf(cell, 'id') ?? index),
      bytes: readBytes(attributeOf(cell, 'memory') ?? '', attributeOf(cell, 'unit')),
    }))
  }
  const memory = find(domain, 'memory')
  return [{ id: 0, bytes: readBytes(textOf(memory), attributeOf(memory, 'unit')) }]
}

/** What an element of memory says, in its unit; 0 when it is no number. */
export function readBytes(text: string, unit: string | null): number {
  const factor = Object.hasOwn(units, unit ?? 'KiB') ? (units[unit ?? 'KiB'] ?? 1024) : 1024
  return /^\d{1,15}$/.test(text) ? Number(text) * factor : 0
}

/** The size for a guest node: the page that names it, else the one that names none, else the usual 2 MiB. */
function pageSizeOf(hugepages: XmlElement, cell: number): number | null {
  const pages = elementsOf(hugepages, 'page')
  if (pages.length === 0) return 2 * 1024 ** 2
  const named = pages.find((page) => inSet(cell, attributeOf(page, 'nodeset')))
  const general = pages.find((page) => attributeOf(page, 'nodeset') === null)
  const page = named ?? general
  if (page === undefined) return null
  const bytes = readBytes(attributeOf(page, 'size') ?? '', attributeOf(page, 'unit'))
  return bytes > 0 ? bytes : null
}

/** The one host node that a guest node is bound to strictly; null when it is several or none. */
function hostNodeOf(domain: XmlElement, cell: number): number | null {
  const numatune = find(domain, 'numatune')
  if (numatune === null) return null
  const own = elementsOf(numatune, 'memnode').find((node) => attributeOf(node, 'cellid') === String(cell))
  const chosen = own ?? find(numatune, 'memory')
  const nodeset = attributeOf(chosen, 'nodeset') ?? ''
  return attributeOf(chosen, 'mode') === 'strict' && /^\d{1,4}$/.test(nodeset) ? Number(nodeset) : null
}

/** Whether "0-3,8" holds a number; a set that is not there holds none. */
export function inSet(number: number, set: string | null): boolean {
  if (set === null) return false
  const ranges = set.split(',').map((part) => part.split('-').map(Number))
  return ranges.some(([first = Number.NaN, last = first]) => number >= first && number <= last)
}
