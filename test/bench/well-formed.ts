/**
 * Refuses what an XML parser would: elements that are not closed or closed in the wrong order, attributes
 * without quotes or twice, bare "&" and "<", more than one root. Entities are those that XML knows by itself.
 */
export function checkWellFormed(document: string): void {
  const text = document.replace(/^<!DOCTYPE html>\s*/, '').trimEnd()
  const open: string[] = []
  let roots = 0
  let at = 0
  const refuse = (why: string): never => {
    throw new Error(`not well-formed at ${at}: ${why}: ${text.slice(at, at + 60)}`)
  }
  const token =
    /<\/([A-Za-z][\w-]*)>|<([A-Za-z][\w-]*)((?:\s+[\w:-]+="(?:[^<&"]|&(?:amp|lt|gt|quot);)*")*)(\/?)>|(?:[^<&]|&(?:amp|lt|gt|quot);)+/y
  while (at < text.length) {
    token.lastIndex = at
    const match = token.exec(text)
    const [words, closed, opened, attributes = '', alone] = match ?? refuse('neither a tag nor text')
    if (closed !== undefined && open.pop() !== closed) refuse(`</${closed}> closes nothing`)
    if (opened !== undefined) {
      if (open.length === 0 && ++roots > 1) refuse('a second root')
      const names = [...attributes.matchAll(/([\w:-]+)=/g)].map(([, name]) => name)
      if (new Set(names).size < names.length) refuse('an attribute stands twice')
      if (alone === '') open.push(opened)
    }
    if (closed === undefined && opened === undefined && open.length === 0) refuse('text outside the root')
    at += words.length
  }
  if (open.length > 0 || roots !== 1) refuse(`<${open.at(-1)}> is not closed, or there is no root`)
}
