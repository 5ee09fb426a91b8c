import type { DomainArtifact, MachineArtifact, TapArtifact } from '../render/artifacts.js'
import { parseCidr } from '../spec/address.js'
import { findLosses } from '../xml/find-losses.js'
import { parseXml } from '../xml/parse-xml.js'
import type { LiveMachine } from './steps.js'

/** Whether an argument array that was read back is the wanted one; one that could not be read is taken for it. */
export function sameArgv(wanted: string[], live: string[] | null): boolean {
  return (
    live === null || (live.length === wanted.length && live.every((word, index) => word === wanted[index]))
  )
}

/** Whether a machine runs as wanted: by its command line, or by the definition that libvirt has of it. */
export function sameMachine(wanted: MachineArtifact, live: LiveMachine): boolean {
  if (wanted.domain === undefined) return live.domain === undefined && sameArgv(wanted.argv, live.argv)
  return live.domain !== undefined && sameDomain(wanted.domain, live.domain.xml)
}

/** Whether nothing of a wanted definition is missing in the one that was read back. */
export function sameDomain(wanted: DomainArtifact, live: string | null): boolean {
  return live !== null && domainLosses(wanted, live).length === 0
}

export function domainLosses({ xml }: DomainArtifact, live: string): string[] {
  return findLosses(parseXml(xml), parseXml(live))
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
