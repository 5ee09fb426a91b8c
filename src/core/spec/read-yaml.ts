import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseDocument,
  visit,
} from 'yaml'
import type { PathPart } from './problem.js'
import { shorten } from './shorten.js'

export interface Place {
  line: number
  column: number
}

/** A fault of the text itself, before anybody asks what it means. */
export interface YamlFault extends Place {
  code: 'spec-syntax' | 'spec-too-large' | 'key-duplicate'
  expected: string
  found: string
}

export interface YamlText {
  /** What the text says; undefined when it cannot be read at all. */
  value: unknown
  faults: YamlFault[]
  /** Where the value (or its key) stands; the nearest place that exists. */
  locate(path: PathPart[], part: 'key' | 'value'): Place
}

/** Far beyond any spec written by hand, and quick to parse however odd the text is. */
export const maxSpecLength = 256 * 1024

/**
 * Reads YAML 1.2, and so JSON. Aliases are refused: a spec is small, and a
 * few of them can stand for gigabytes.
 */
export function readYaml(text: string): YamlText {
  if (text.length > maxSpecLength) {
    const found = `${text.length} characters`
    return unreadable({ code: 'spec-too-large', expected: `at most ${maxSpecLength} characters`, found })
  }
  if (text.includes('\0') || text.includes('\ufffd')) {
    return unreadable({ code: 'spec-syntax', expected: 'text in UTF-8', found: 'bytes that are none' })
  }
  if (isNestedDeeply(text)) {
    return unreadable({ code: 'spec-too-large', expected: 'a few levels of nesting', found: 'far too many' })
  }
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
  })
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const faults = [...syntaxFaults(document, place), ...contentFaults(document, place)]
  const readable = faults.every((fault) => fault.code === 'key-duplicate')
  return {
    value: readable ? document.toJS({ maxAliasCount: 0 }) : undefined,
    faults,
    locate: (path, part) => place(findOffset(document, path, part)),
  }
}

/**
 * Whether the parser, which recurses, would need a deep stack: it can end the
 * whole process then. Each block level needs a column, so far columns are deep.
 */
function isNestedDeeply(text: string): boolean {
  let brackets = 0
  let column = 0
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') brackets++
    if (token === ']' || token === '}') brackets--
    const opensBlock = token === '-' || token === '?' || (column === 0 && token.trim() === '')
    const end = column + token.length
    if (brackets > 50 || (brackets === 0 && opensBlock && end > 200 && token !== '\n')) return true
    column = token.includes('\n') ? 0 : end
  }
  return false
}

function unreadable(fault: Omit<YamlFault, keyof Place>): YamlText {
  const start = { line: 1, column: 1 }
  return { value: undefined, faults: [{ ...fault, ...start }], locate: () => start }
}

function syntaxFaults(document: Document, place: (offset: number) => Place): YamlFault[] {
  return [...document.errors, ...document.warnings].map(({ message, pos }) => {
    return { code: 'spec-syntax', ...place(pos[0]), expected: 'YAML or JSON', found: shortenQuotes(message) }
  })
}

/** The parser quotes whole lines of the text that it does not understand. */
function shortenQuotes(message: string): string {
  return message.replace(/"(.*)"/su, (_, quoted: string) => `"${shorten(quoted)}"`)
}

/** What YAML allows, or would check in quadratic time, and a spec must not have. */
function contentFaults(document: Document, place: (offset: number) => Place): YamlFault[] {
  const faults: YamlFault[] = []
  visit(document, {
    Alias(_, alias) {
      const found = `the alias *${shorten(alias.source)}`
      faults.push({ code: 'spec-syntax', ...place(startOf(alias) ?? 0), expected: 'the value itself', found })
    },
    Map(_, map) {
      const seen = new Set<unknown>()
      for (const { key } of map.items) {
        const name = isScalar(key) ? key.value : key
        if (seen.has(name)) {
          const found = `${JSON.stringify(typeof name === 'string' ? shorten(name) : name)} again`
          faults.push({
            code: 'key-duplicate',
            ...place(startOf(key) ?? 0),
            expected: 'each key once',
            found,
          })
        }
        seen.add(name)
      }
    },
  })
  return faults
}

function findOffset(document: Document, path: PathPart[], part: 'key' | 'value'): number {
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  path.forEach((step, index) => {
    const wantKey = part === 'key' && index === path.length - 1
    let next: unknown = null
    if (isMap(node)) {
      const pair = node.items.findLast((item) => isScalar(item.key) && item.key.value === step)
      next = pair?.value ?? null
      // An absent value ("host:") has no place of its own; its key has.
      offset = (wantKey ? undefined : startOf(next)) ?? startOf(pair?.key) ?? offset
    } else if (isSeq(node) && typeof step === 'number') {
      next = node.items[step]
      offset = startOf(next) ?? offset
    }
    node = next
  })
  return offset
}

function startOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined
}
