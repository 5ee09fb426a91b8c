/**
 * XML as libvirt writes it, as a tree that knows where in the text each element
 * stands. What a definition of a machine never has is refused before anything
 * is built of it: document types, entities of its own, endless depth or size.
 */
export interface XmlElement {
  kind: 'element'
  /** With its prefix, as in "qemu:commandline". */
  name: string
  /** In the order of the text, values decoded. */
  attributes: XmlAttribute[]
  children: XmlNode[]
  /** Where it begins and ends in the text, tags included; 0 for elements that were built. */
  start: number
  end: number
}

export interface XmlAttribute {
  name: string
  value: string
}

/** Text of a comment or instruction is what stands between its marks. */
export type XmlNode = XmlElement | { kind: 'text' | 'comment' | 'instruction'; text: string }

export type Attributes = Record<string, string | number | null | undefined>

/** Builds an element; attributes that are null or undefined are left out, and so are children. */
export function element(
  name: string,
  attributes: Attributes = {},
  ...children: (XmlNode | string | null)[]
): XmlElement {
  const given = Object.entries(attributes).flatMap(([key, value]) =>
    value === null || value === undefined ? [] : [{ name: key, value: String(value) }],
  )
  const nodes = children.flatMap((child): XmlNode[] => {
    if (child === null) return []
    return [typeof child === 'string' ? { kind: 'text', text: child } : child]
  })
  return { kind: 'element', name, attributes: given, children: nodes, start: 0, end: 0 }
}

export function elementsOf(parent: XmlElement, name?: string): XmlElement[] {
  const elements = parent.children.filter((child): child is XmlElement => child.kind === 'element')
  return name === undefined ? elements : elements.filter((child) => child.name === name)
}

/** The first element at the end of a path of names; null when there is none. */
export function find(parent: XmlElement, ...path: string[]): XmlElement | null {
  const [name, ...rest] = path
  if (name === undefined) return parent
  const child = elementsOf(parent, name)[0]
  return child === undefined ? null : find(child, ...rest)
}

export function attributeOf(owner: XmlElement | null, name: string): string | null {
  return owner?.attributes.find((attribute) => attribute.name === name)?.value ?? null
}

/** All text below an element, without the blanks around it. */
export function textOf(owner: XmlElement | null): string {
  if (owner === null) return ''
  return owner.children
    .map((child) => (child.kind === 'text' ? child.text : child.kind === 'element' ? textOf(child) : ''))
    .join('')
    .trim()
}
