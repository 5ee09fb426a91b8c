import { refusedXml } from './refuse-xml.js'

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/**
 * The five entities of XML and numbers of characters. Any other would have to be declared, and is
 * refused: the parser would leave it as it stands, and drop numbers that are no characters.
 */
export function decodeEntities(text: string): string {
  let decoded = ''
  let from = 0
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', from)) {
    const end = text.indexOf(';', at)
    const character = end < 0 || end - at > 10 ? null : readEntity(text.slice(at + 1, end))
    if (character === null) throw refusedXml('an entity that is not one of the five of XML')
    decoded += text.slice(from, at) + character
    from = end + 1
  }
  return decoded + text.slice(from)
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
