/** A piece of XML that is well-formed by how it was made: text is escaped, what is opened is closed. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Attributes = Record<string, string | number>

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => escapes[letter] ?? letter)
}

/** An element; strings among its children are text. Numbers are cut to what a screen can show. */
export function element(name: string, attributes: Attributes, ...children: (Markup | string)[]): Markup {
  const words = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? Number(value.toFixed(2)) : escapeText(value)}"`,
  )
  const inner = children.map((child) => (child instanceof Markup ? child.text : escapeText(child))).join('')
  return new Markup(
    inner === '' ? `<${name}${words.join('')}/>` : `<${name}${words.join('')}>${inner}</${name}>`,
  )
}
