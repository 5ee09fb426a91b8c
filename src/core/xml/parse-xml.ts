// The package as one file: its modules, one by one, cost a hook 100 ms more.
import fxp = require('fast-xml-parser')

import { VhostkitError } from '../errors.js'
import { decodeEntities } from './decode-entities.js'
import { guardText } from './guard-text.js'
import { refusedXml } from './refuse-xml.js'
import type { XmlAttribute, XmlElement, XmlNode } from './xml.js'

const mostDepth = 64
const tooDeep = `more than ${mostDepth} elements in each other`

/** Names that would reach into JavaScript's own objects wherever they became keys. */
const reservedNames = new Set(['__proto__', 'prototype', 'constructor'])

/** Names that no element can have: of what the parser gives beside elements. */
const [textKey, cdataKey, commentKey, attributesKey] = ['#text', '#cdata', '#comment', ':@']

/** Everything as it stands: nothing trimmed, made a number, expanded or left out; and its place. */
const parser = new fxp.XMLParser({
  preserveOrder: true,
  captureMetaData: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  textNodeName: textKey,
  cdataPropName: cdataKey,
  commentPropName: commentKey,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  // It counts the document itself, too, and compares before it enters.
  maxNestedTags: mostDepth - 1,
  jPath: false,
  onDangerousProperty: (name) => {
    throw refusedXml(`the name ${name} is never read`)
  },
})

/** An element, a text, a comment …: one key that says which, and attributes. */
type Parsed = Record<string, unknown>

/**
 * Reads one document, strictly: what is not well-formed is refused, and so is what could cost more
 * than it says. The parser does both the reading and the validating; `guardText` stands before it, and
 * behind it every element is held against its place in the text, for the parser closes tags by count.
 */
export function parseXml(text: string): XmlElement {
  guardText(text)
  const nodes = parse(text).flatMap((part) => toNode(part, text))
  const [root, second] = nodes.filter((node): node is XmlElement => node.kind === 'element')
  if (root === undefined) throw refusedXml('no element at all', 0)
  if (second !== undefined) throw refusedXml('a second root element', second.start)
  return root
}

function parse(text: string): Parsed[] {
  try {
    return parser.parse(text, true) as Parsed[]
  } catch (error) {
    if (error instanceof VhostkitError) throw error
    throw refusedXml(reasonOf(error instanceof Error ? error.message : String(error)))
  }
}

/** The parser's own words, but where they are about its insides. */
function reasonOf(message: string): string {
  if (message.startsWith('[SECURITY]')) return 'a name that reaches into JavaScript, which is never read'
  return message === 'Maximum nested tags exceeded'
    ? tooDeep
    : message.replace(/[.:]*:(\d+):\d+$/, ' in line $1')
}

function toNode(part: Parsed, text: string): XmlNode[] {
  const name = Object.keys(part).find((key) => key !== attributesKey) ?? ''
  const inside = part[name]
  if (name === textKey) return inside === '' ? [] : [{ kind: 'text', text: decodeEntities(String(inside)) }]
  if (name === cdataKey) return [{ kind: 'text', text: textIn(inside) }]
  if (name === commentKey) return [{ kind: 'comment', text: textIn(inside) }]
  const { startIndex: start = 0, endIndex: end } = placeOf(part)
  if (end === undefined) throw refusedXml(`<${name}> is never closed`, start)
  if (name.startsWith('?')) return [instructionAt(text, start, end)]
  refuseReserved(name, start)
  if (!endsAsItBegan(text.slice(start, end), name)) {
    throw refusedXml(`<${name}> is not closed by a tag of its own`, start)
  }
  const attributes = attributesOf(part[attributesKey], start)
  const children = (inside as Parsed[]).flatMap((child) => toNode(child, text))
  return [{ kind: 'element', name, attributes, children, start, end }]
}

function placeOf(part: Parsed): fxp.XMLMetaData {
  return Reflect.get(part, fxp.XMLParser.getMetaDataSymbol() as symbol) ?? {}
}

/** The parser lets quotes hide the end of an instruction, which XML does not. */
function instructionAt(text: string, start: number, end: number): XmlNode {
  const inside = text.slice(start + 2, end - 2)
  if (inside.includes('?>')) throw refusedXml('an instruction with quotes around its end', start)
  if (/^xml\s/i.test(inside) && start > 0) throw refusedXml('a second declaration', start)
  return { kind: 'instruction', text: inside }
}

function endsAsItBegan(element: string, name: string): boolean {
  if (!element.startsWith(`<${name}`)) return false
  if (element.endsWith('/>')) return element.lastIndexOf('<') === 0
  const close = element.lastIndexOf('</')
  return close > 0 && element.slice(close + 2, -1).trimEnd() === name
}

/** A value is one line for XML, whatever it was in the text; written as numbers, line ends stay. */
function attributesOf(given: unknown, at: number): XmlAttribute[] {
  return Object.entries((given ?? {}) as Record<string, string>).map(([name, value]) => {
    refuseReserved(name, at)
    return { name, value: decodeEntities(value.replace(/[\t\r\n]/g, ' ')) }
  })
}

function refuseReserved(name: string, at: number): void {
  if (name.split(':').some((part) => reservedNames.has(part))) {
    throw refusedXml(`the name ${name} is never read`, at)
  }
}

function textIn(inside: unknown): string {
  return String((inside as Parsed[])[0]?.[textKey] ?? '')
}
