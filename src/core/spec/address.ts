/** Host addresses in CIDR notation, IPv4 and IPv6. */

export interface Cidr {
  family: 4 | 6
  address: bigint
  prefix: number
  /** First and last address of the subnet. */
  first: bigint
  last: bigint
}

/** The parts of "192.168.77.1/24"; null when it is not an address with its prefix length. */
export function parseCidr(text: string): Cidr | null {
  const match = /^([0-9a-f:.]+)\/(0|[1-9][0-9]{0,2})$/i.exec(text)
  if (match?.[1] === undefined) return null
  const family = match[1].includes(':') ? 6 : 4
  const address = family === 4 ? parseIpv4(match[1]) : parseIpv6(match[1])
  const width = family === 4 ? 32 : 128
  const prefix = Number(match[2])
  if (address === null || prefix > width) return null
  const hostMask = (1n << BigInt(width - prefix)) - 1n
  return { family, address, prefix, first: address & ~hostMask, last: address | hostMask }
}

/** Why a host cannot have this address; null when it can. */
export function whyNotAHostAddress(cidr: Cidr): string | null {
  const width = cidr.family === 4 ? 32 : 128
  if (cidr.address === 0n) return 'the unspecified address'
  if (cidr.prefix === 0) return 'a subnet of every address'
  const topByte = cidr.address >> BigInt(width - 8)
  if (cidr.family === 4 ? topByte >= 224n : topByte === 0xffn) return 'a multicast or reserved address'
  if (cidr.family === 4 ? topByte === 127n : cidr.address === 1n) return 'a loopback address'
  if (cidr.family === 4 && cidr.prefix < 31) {
    if (cidr.address === cidr.first) return 'the address of the subnet itself'
    if (cidr.address === cidr.last) return 'the broadcast address of the subnet'
  }
  return null
}

/** Whether the text is an IPv4 address, in its one usual spelling, that a sender may have. */
export function isUnicastIpv4(text: string): boolean {
  const cidr = parseCidr(`${text}/32`)
  return cidr !== null && cidr.family === 4 && cidr.address !== 0n && cidr.address >> 28n < 14n
}

/** "192.168.77.1" of its value. */
export function showIpv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => Number((value >> shift) & 255n)).join('.')
}

export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last
}

function parseIpv4(text: string): bigint | null {
  const parts = text.split('.')
  if (
    parts.length !== 4 ||
    !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)
  ) {
    return null
  }
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n)
}

function parseIpv6(text: string): bigint | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const head = groups(halves[0] ?? '')
  const tail = groups(halves[1] ?? '')
  if (head === null || tail === null) return null
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null
  return [...head, ...Array<bigint>(missing).fill(0n), ...tail].reduce(
    (value, group) => (value << 16n) | group,
    0n,
  )
}

function groups(text: string): bigint[] | null {
  if (text === '') return []
  const parts = text.split(':')
  return parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part))
    ? parts.map((part) => BigInt(`0x${part}`))
    : null
}
