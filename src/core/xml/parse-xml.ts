import { VhostkitError } from '../errors.js'
import type { XmlAttribute, XmlElement, XmlNode } from './xml.js'

/** libvirt's own limit of a definition is larger; no real one comes near. */
const mostCharacters = 1024 * 1024
const mostDepth = 64
const mostNodes = 10_000

const namePart = /[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?/y
const blanks = /[ \t\r\n]*/y
/** Names that would reach into JavaScript's own objects wherever they became keys. */
const reservedNames = new Set(['__proto__', 'prototype', 'constructor'])

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/**
 * Reads one document, strictly: what is not well-formed is refused, and so is
 * what could cost more than it says. One pass, no recursion, nothing expanded.
 */
export function parseXml(text: string): XmlElement {
  if (text.length > mostCharacters) throw refused(`longer than ${mostCharacters} characters`, 0)
  const reader = new Reader(text)
  for (;;) {
    const root = reader.step()
    if (root !== null) return root
  }
}

class Reader {
  readonly #text: string
  #at = 0
  #nodes = 0
  readonly #open: XmlElement[] = []
  #root: XmlElement | null = null

  constructor(text: string) {
    this.#text = text
  }

  /** Reads up to the next tag; the root when the text is at its end. */
  step(): XmlElement | null {
    const next = this.#text.indexOf('<', this.#at)
    this.#take(this.#text.slice(this.#at, next < 0 ? undefined : next), 'text')
    if (next < 0) return this.#finish()
    this.#at = next
    if (this.#has('<!--')) this.#takeUntil('<!--', '-->', 'comment')
    else if (this.#has('<![CDATA[')) this.#takeUntil('<![CDATA[', ']]>', 'cdata')
    else if (this.#has('<?')) this.#takeUntil('<?', '?>', 'instruction')
    else if (this.#has('<!')) throw this.#refuse('a document type or entity declaration, which is never read')
    else if (this.#has('</')) this.#closeTag()
    else this.#openTag()
    return null
  }

  #finish(): XmlElement {
    const open = this.#open.at(-1)
    if (open !== undefined) throw refused(`<${open.name}> is never closed`, open.start)
    if (this.#root === null) throw refused('no element at all', 0)
    return this.#root
  }

  #has(mark: string): boolean {
    return this.#text.startsWith(mark, this.#at)
  }

  #takeUntil(mark: string, endMark: string, kind: 'comment' | 'cdata' | 'instruction'): void {
    const from = this.#at + mark.length
    const end = this.#text.indexOf(endMark, from)
    if (end < 0) throw this.#refuse(`${mark} without ${endMark}`)
    const inside = this.#text.slice(from, end)
    if (kind === 'instruction' && /^xml\s/i.test(inside) && this.#at > 0)
      throw this.#refuse('a second declaration')
    this.#take(inside, kind)
    this.#at = end + endMark.length
  }

  /** Text, comments and instructions: kept where they are inside the root. */
  #take(text: string, kind: 'text' | 'comment' | 'cdata' | 'instruction'): void {
    if (text === '' && kind === 'text') return
    const parent = this.#open.at(-1)
    if (parent === undefined) {
      if (kind === 'cdata' || (kind === 'text' && text.trim() !== ''))
        throw this.#refuse('text outside the root')
      return
    }
    this.#count()
    const value = kind === 'text' ? this.#decode(text) : text
    parent.children.push({ kind: kind === 'cdata' ? 'text' : kind, text: value } satisfies XmlNode)
  }

  #openTag(): void {
    const start = this.#at
    this.#at += 1
    const name = this.#name()
    const attributes = this.#attributes()
    const empty = this.#has('/>')
    if (!empty && !this.#has('>')) throw this.#refuse(`no end of the tag <${name}>`)
    this.#at += empty ? 2 : 1
    const made: XmlElement = { kind: 'element', name, attributes, children: [], start, end: this.#at }
    this.#count()
    const parent = this.#open.at(-1)
    if (parent !== undefined) parent.children.push(made)
    else if (this.#root !== null) throw refused('a second root element', start)
    else this.#root = made
    if (empty) return
    if (this.#open.length >= mostDepth) throw refused(`more than ${mostDepth} elements in each other`, start)
    this.#open.push(made)
  }

  #attributes(): XmlAttribute[] {
    const found: XmlAttribute[] = []
    const names = new Set<string>()
    for (;;) {
      const before = this.#at
      this.#skipBlanks()
      if (this.#has('>') || this.#has('/>')) return found
      if (this.#at === before) throw this.#refuse('no blank before an attribute')
      const name = this.#name()
      if (names.has(name)) throw this.#refuse(`the attribute ${name} stands twice`)
      names.add(name)
      this.#count()
      found.push({ name, value: this.#value(name) })
    }
  }

  #value(name: string): string {
    this.#skipBlanks()
    if (!this.#has('=')) throw this.#refuse(`the attribute ${name} has no value`)
    this.#at += 1
    this.#skipBlanks()
    const quote = this.#text[this.#at]
    const end = quote === '"' || quote === "'" ? this.#text.indexOf(quote, this.#at + 1) : -1
    if (end < 0) throw this.#refuse(`the value of ${name} has no quotes around it`)
    const value = this.#text.slice(this.#at + 1, end)
    if (value.includes('<')) throw this.#refuse(`"<" in the value of ${name}`)
    const decoded = this.#decode(value.replace(/[\t\r\n]/g, ' '))
    this.#at = end + 1
    return decoded
  }

  #closeTag(): void {
    this.#at += 2
    const name = this.#name()
    this.#skipBlanks()
    const open = this.#open.pop()
    if (open?.name !== name || !this.#has('>')) throw this.#refuse(`</${name}> closes nothing that is open`)
    this.#at += 1
    open.end = this.#at
  }

  #name(): string {
    namePart.lastIndex = this.#at
    const [name] = namePart.exec(this.#text) ?? []
    if (name === undefined) throw this.#refuse('no name where one must be')
    if (name.split(':').some((part) => reservedNames.has(part)))
      throw this.#refuse(`the name ${name} is never read`)
    this.#at += name.length
    return name
  }

  #skipBlanks(): void {
    blanks.lastIndex = this.#at
    this.#at += blanks.exec(this.#text)?.[0].length ?? 0
  }

  /** The five entities of XML and numbers of characters; every other one would have to be declared. */
  #decode(text: string): string {
    let decoded = ''
    let from = 0
    for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', from)) {
      const end = text.indexOf(';', at)
      const character = end < 0 || end - at > 10 ? null : readEntity(text.slice(at + 1, end))
      if (character === null) throw this.#refuse('an entity that is not one of the five of XML')
      decoded += text.slice(from, at) + character
      from = end + 1
    }
    return decoded + text.slice(from)
  }

  #count(): void {
    if (++this.#nodes > mostNodes) throw this.#refuse(`more than ${mostNodes} parts`)
  }

  #refuse(why: string): VhostkitError {
    return refused(why, this.#at)
  }
}

function readEntity(body: string): string | null {
  if (Object.hasOwn(entities, body)) return entities[body] ?? null
  const number = /^#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))$/.exec(body)
  if (number === null) return null
  const [, hex, decimal = ''] = number
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
  return isCharacter(code) ? String.fromCodePoint(code) : null
}

function isCharacter(code: number): boolean {
  if (code === 9 || code === 10 || code === 13) return true
  return (
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff)
  )
}

function refused(why: string, at: number): VhostkitError {
  return new VhostkitError('xml-refused', {
    sentence: `The XML is refused at character ${at}: ${why}.`,
    cause: why,
  })
}
