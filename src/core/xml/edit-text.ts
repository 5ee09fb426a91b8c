import type { XmlElement } from './xml.js'

/** A place of a text and what shall stand there instead. */
export interface Edit {
  start: number
  end: number
  text: string
}

/** The text with all edits made; every byte that no edit names stays. They must not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const sorted = [...edits].sort((a, b) => a.start - b.start || a.end - b.end)
  let result = ''
  let at = 0
  for (const edit of sorted) {
    if (edit.start < at) throw new RangeError('edits overlap')
    result += text.slice(at, edit.start) + edit.text
    at = edit.end
  }
  return result + text.slice(at)
}

/** The blanks before an element when it stands first on its line; else none. */
export function indentOf(text: string, { start }: XmlElement): string {
  const line = text.slice(text.lastIndexOf('\n', start - 1) + 1, start)
  return /^[ \t]*$/.test(line) ? line : ''
}

/** An edit that puts lines after an element, indented as it is. */
export function insertAfter(text: string, element: XmlElement, lines: string): Edit {
  return { start: element.end, end: element.end, text: `\n${indentLines(lines, indentOf(text, element))}` }
}

/** An edit that puts lines at the end of what an element holds, two blanks further in. */
export function insertInto(text: string, element: XmlElement, lines: string): Edit {
  const indent = indentOf(text, element)
  const inside = indentLines(lines, `${indent}  `)
  if (text.slice(element.start, element.end).endsWith('/>') && element.children.length === 0) {
    const end = element.end
    return { start: end - 2, end, text: `>\n${inside}\n${indent}</${element.name}>` }
  }
  const close = text.lastIndexOf('</', element.end)
  const lineStart = text.lastIndexOf('\n', close - 1) + 1
  const alone = /^[ \t]*$/.test(text.slice(lineStart, close))
  const at = alone ? lineStart : close
  return { start: at, end: at, text: alone ? `${inside}\n` : `\n${inside}\n${indent}` }
}

/** An edit that takes an element away, and its line when it stands alone on it. */
export function removeElement(text: string, element: XmlElement): Edit {
  const lineStart = text.lastIndexOf('\n', element.start - 1) + 1
  const alone = indentOf(text, element) === text.slice(lineStart, element.start) && text[element.end] === '\n'
  return alone
    ? { start: lineStart, end: element.end + 1, text: '' }
    : { start: element.start, end: element.end, text: '' }
}

/** An edit that gives an attribute of an element another value, or adds it as the last. */
export function setAttribute(text: string, element: XmlElement, name: string, value: string): Edit {
  const tag = openTagOf(text, element)
  const found = new RegExp(`(\\s${name.replace('.', '\\.')}\\s*=\\s*)("[^"]*"|'[^']*')`).exec(tag)
  if (found?.[1] !== undefined && found[2] !== undefined) {
    const start = element.start + found.index + found[1].length
    return { start, end: start + found[2].length, text: `'${value}'` }
  }
  const close = tag.endsWith('/>') ? 2 : 1
  const at = element.start + tag.slice(0, -close).trimEnd().length
  return { start: at, end: at, text: ` ${name}='${value}'` }
}

/** From "<" to its ">", which may also stand within quotes. */
function openTagOf(text: string, { start }: XmlElement): string {
  return /^<(?:"[^"]*"|'[^']*'|[^>"'])*>/.exec(text.slice(start))?.[0] ?? ''
}

function indentLines(lines: string, indent: string): string {
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => `${indent}${line}`)
    .join('\n')
}
