import { find, textOf, type XmlElement } from '../xml/xml.js'

/** The name of a domain, and the nearest that a machine can have. */
export function plainName(domain: XmlElement): { domain: string; name: string } {
  const name = textOf(find(domain, 'name'))
  return { domain: name, name: toPlain(name, 'machine') }
}

/** Letters, digits, "_", "." and "-", at most 63, letter or digit first. */
export function toPlain(text: string, otherwise: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 63)
    .replace(/-+$/, '')
  return plain === '' ? otherwise : plain
}
