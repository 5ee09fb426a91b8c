import type { PortRequest, TapArtifact } from '../render/artifacts.js'
import { parseCidr } from '../spec/address.js'

/** Whether an argument array that was read back is the wanted one; one that could not be read is taken for it. */
export function sameArgv(wanted: string[], live: string[] | null): boolean {
  return (
    live === null || (live.length === wanted.length && live.every((word, index) => word === wanted[index]))
  )
}

export function samePort(a: PortRequest, b: PortRequest): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}

/** The kernel spells IPv6 addresses its own way, and lists them in its own order. */
export function sameTap(a: TapArtifact, b: TapArtifact): boolean {
  const spell = ({ addresses }: TapArtifact) => addresses.map(spellAddress).sort().join(' ')
  return a.ifname === b.ifname && a.mtu === b.mtu && spell(a) === spell(b)
}

function spellAddress(text: string): string {
  const cidr = parseCidr(text)
  return cidr === null ? text : `${cidr.family} ${cidr.address}/${cidr.prefix}`
}

function sorted(port: PortRequest): [string, unknown][] {
  return Object.entries(port).sort(([a], [b]) => (a < b ? -1 : 1))
}
