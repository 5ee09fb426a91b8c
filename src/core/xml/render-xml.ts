import type { XmlElement, XmlNode } from './xml.js'

/** An element as text, two blanks a level, as libvirt writes it; one line for elements with only text. */
export function renderXml(root: XmlElement, indent = ''): string {
  const { name, attributes, children } = root
  const words = attributes.map(({ name: key, value }) => ` ${key}='${escapeValue(value)}'`).join('')
  if (children.length === 0) return `${indent}<${name}${words}/>\n`
  if (children.every(({ kind }) => kind === 'text')) {
    return `${indent}<${name}${words}>${children.map(renderInline).join('')}</${name}>\n`
  }
  const inside = children
    .map((child) =>
      child.kind === 'element' ? renderXml(child, `${indent}  `) : `${indent}  ${renderInline(child)}\n`,
    )
    .join('')
  return `${indent}<${name}${words}>\n${inside}${indent}</${name}>\n`
}

function renderInline(node: XmlNode): string {
  if (node.kind === 'comment') return `<!--${node.text}-->`
  if (node.kind === 'instruction') return `<?${node.text}?>`
  return node.kind === 'text' ? escapeText(node.text) : ''
}

export function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;')
}

/** Blanks other than the space would come back as spaces. */
export function escapeValue(text: string): string {
  const quoted = escapeText(text).replaceAll("'", '&apos;').replaceAll('"', '&quot;')
  return quoted.replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')
}
