import { attributeOf, elementsOf, find, type XmlElement } from '../xml/xml.js'

/**
 * Why the switch could not map the memory of a domain; null when it can. A cell without
 * a word of its own is private, whatever the rest says, and then fails silently.
 */
export function whyNotShared(domain: XmlElement): string | null {
  const cells = elementsOf(find(domain, 'cpu', 'numa') ?? domain, 'cell')
  if (cells.length === 0) {
    const mode = attributeOf(find(domain, 'memoryBacking', 'access'), 'mode')
    return mode === 'shared' ? null : `memoryBacking has ${mode === null ? 'no access' : `access ${mode}`}`
  }
  const own = cells.filter((cell) => attributeOf(cell, 'memAccess') !== 'shared')
  if (own.length === 0) return null
  const names = own.map((cell, index) => attributeOf(cell, 'id') ?? String(index)).join(', ')
  return `${own.length === 1 ? 'cell' : 'cells'} ${names} of cpu/numa ${own.length === 1 ? 'is' : 'are'} not memAccess='shared'`
}
