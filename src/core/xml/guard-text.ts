import { refusedXml } from './refuse-xml.js'

/**
 * A machine with 100 disks and 100 cards has some 70 000 characters and 3000 parts (tags, comments,
 * attributes, references, returns). The parser takes 0.4 µs a character and 12 µs a part here, so
 * neither costs 100 ms.
 */
const mostCharacters = 128 * 1024
const mostParts = 5000

const pairs = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const

const tag = /<[^<>"']*(?:"[^"<]*"[^<>"']*|'[^'<]*'[^<>"']*)*>/y
const values = /"[^"]*"|'[^']*'/g

/**
 * Refuses, before the parser sees a text, what could cost more than it says (size, parts, anything
 * that declares entities) and what the parser would take: a mark without an end, "<" in a value,
 * text outside the root. Looks at where each mark begins and ends, and at nothing else.
 */
export function guardText(text: string): void {
  if (text.length > mostCharacters) throw refusedXml(`longer than ${mostCharacters} characters`, 0)
  let parts = text.match(/[&\r]/g)?.length ?? 0
  let from = 0
  let tags = 0
  let strays: number | null = null
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', from)) {
    const end = endOfMark(text, at)
    const isTag = !/[!?]/.test(text[at + 1] ?? '')
    if (!isBlank(text, from, at) || text.startsWith('<![', at)) strays ??= from
    if (isTag) {
      if (tags === 0 && strays !== null) throw refusedXml('text outside the root', strays)
      strays = null
      tags += 1
    }
    parts += 1 + (isTag ? countValues(text, at, end) : 0)
    if (parts > mostParts) throw refusedXml(`more than ${mostParts} parts`, at)
    from = end
  }
  if (tags === 0) throw refusedXml('no element at all', 0)
  if (strays !== null || !isBlank(text, from, text.length)) throw refusedXml('text outside the root', from)
}

function endOfMark(text: string, at: number): number {
  for (const [open, close] of pairs) {
    if (!text.startsWith(open, at)) continue
    const end = text.indexOf(close, at + open.length)
    if (end < 0) throw refusedXml(`${open} without ${close}`, at)
    return end + close.length
  }
  if (text[at + 1] === '!') {
    throw refusedXml('a document type or entity declaration, which is never read', at)
  }
  tag.lastIndex = at
  if (!tag.test(text)) throw refusedXml('a tag without end, or "<" in a value', at)
  return tag.lastIndex
}

function countValues(text: string, start: number, end: number): number {
  return text.slice(start, end).match(values)?.length ?? 0
}

function isBlank(text: string, start: number, end: number): boolean {
  return /^[ \t\r\n]*$/.test(text.slice(start, end))
}
