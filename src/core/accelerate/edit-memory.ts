import { type Edit, insertAfter, insertInto, setAttribute } from '../xml/edit-text.js'
import { renderXml } from '../xml/render-xml.js'
import { attributeOf, element, elementsOf, find, type XmlElement } from '../xml/xml.js'

/** What the host can give: hugepages of one size, and the node to bind to; null = none, or nothing to choose. */
export interface MemoryWish {
  pageBytes: number | null
  node: number | null
}

/** Memory that is shared, each cell too, of hugepages where the host has them; bound to a node where there are several. */
export function editMemory(text: string, domain: XmlElement, wish: MemoryWish): Edit[] {
  const cells = elementsOf(find(domain, 'cpu', 'numa') ?? domain, 'cell')
  const edits = cells
    .filter((cell) => attributeOf(cell, 'memAccess') !== 'shared')
    .map((cell) => setAttribute(text, cell, 'memAccess', 'shared'))
  const place = find(domain, 'currentMemory') ?? find(domain, 'memory') ?? find(domain, 'name')
  const backing = find(domain, 'memoryBacking')
  const after: XmlElement[] = []
  if (backing === null) {
    const parts = [...pagesOf(wish), source(), access()]
    after.push(element('memoryBacking', {}, ...parts))
  } else edits.push(...editBacking(text, backing, wish))
  if (wish.node !== null && find(domain, 'numatune') === null) {
    after.push(element('numatune', {}, element('memory', { mode: 'strict', nodeset: wish.node })))
  }
  if (after.length > 0 && place !== null) {
    edits.push(insertAfter(text, place, after.map((part) => renderXml(part)).join('')))
  }
  return edits
}

/** What is there stays, but for a source or access that would keep the memory from the switch. */
function editBacking(text: string, backing: XmlElement, wish: MemoryWish): Edit[] {
  const edits: Edit[] = []
  const missing: XmlElement[] = []
  const ownAccess = find(backing, 'access')
  if (ownAccess === null) missing.push(access())
  else if (attributeOf(ownAccess, 'mode') !== 'shared')
    edits.push(setAttribute(text, ownAccess, 'mode', 'shared'))
  const huge = find(backing, 'hugepages')
  if (huge === null) missing.push(...pagesOf(wish))
  const ownSource = find(backing, 'source')
  if (ownSource === null) {
    if (huge === null) missing.push(source())
  } else if (huge === null && attributeOf(ownSource, 'type') !== 'memfd') {
    edits.push(setAttribute(text, ownSource, 'type', 'memfd'))
  }
  if (missing.length > 0) {
    edits.push(insertInto(text, backing, missing.map((part) => renderXml(part)).join('')))
  }
  return edits
}

function pagesOf({ pageBytes }: MemoryWish): XmlElement[] {
  if (pageBytes === null) return []
  return [element('hugepages', {}, element('page', { size: pageBytes / 1024, unit: 'KiB' }))]
}

const source = () => element('source', { type: 'memfd' })
const access = () => element('access', { mode: 'shared' })
