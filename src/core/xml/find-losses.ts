import { attributeOf, elementsOf, textOf, type XmlElement } from './xml.js'

/**
 * What of a wanted definition is not in another one: a line for each element,
 * attribute or text that is gone or has another value. What the other has
 * besides (addresses, controllers, defaults that libvirt fills in) is no loss.
 */
export function findLosses(wanted: XmlElement, found: XmlElement): string[] {
  return compare(wanted, found, wanted.name)
}

function compare(wanted: XmlElement, found: XmlElement, path: string): string[] {
  if (wanted.name !== found.name) return [`${path}: <${wanted.name}> is <${found.name}>`]
  const values = wanted.attributes
    .filter(({ name }) => name !== 'xmlns' && !name.startsWith('xmlns:'))
    .filter(({ name, value }) => !sameValue(name, value, attributeOf(found, name)))
    .map(({ name, value }) => `${path}/@${name}: ${value} is ${attributeOf(found, name) ?? 'gone'}`)
  const own = elementsOf(wanted)
  if (own.length === 0) {
    const [text, other] = [textOf(wanted), textOf(found)]
    return text === other ? values : [...values, `${path}: ${text} is ${other || 'gone'}`]
  }
  return [...values, ...own.flatMap((child) => compareBest(child, found, path))]
}

/** The twin of an element is the one that lacks least of it: devices are told apart by what is in them. */
function compareBest(wanted: XmlElement, parent: XmlElement, path: string): string[] {
  const here = `${path}/${wanted.name}`
  const all = elementsOf(parent, wanted.name).map((twin) => compare(wanted, twin, here))
  if (all.length === 0) return [`${here}: gone`]
  return all.reduce((best, losses) => (losses.length < best.length ? losses : best))
}

/** libvirt writes the version of a machine type in place of its short name. */
function sameValue(name: string, wanted: string, found: string | null): boolean {
  if (wanted === found) return true
  return (
    name === 'machine' && found !== null && /^pc-(q35|i440fx)-\d/.test(found) && found.includes(`-${wanted}-`)
  )
}
