import { createHash } from 'node:crypto'

const mark = '# Written by `vhostkit switch install`, and kept from it when edited. sha256 of all below: '

/** A text with a first line by which we know it, and know whether somebody edited it since. */
export function sealText(text: string): string {
  return `${mark}${hash(text)}\n${text}`
}

/** What stands below the seal, and whose it is; edited: ours, and then somebody else's. */
export function openSeal(sealed: string): { text: string; owner: 'ours' | 'edited' | 'foreign' } {
  const end = sealed.indexOf('\n')
  if (end < 0 || !sealed.startsWith(mark)) return { text: sealed, owner: 'foreign' }
  const text = sealed.slice(end + 1)
  return { text, owner: sealed.slice(mark.length, end) === hash(text) ? 'ours' : 'edited' }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
