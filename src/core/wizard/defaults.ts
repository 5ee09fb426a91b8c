import type { Facts } from '../facts/facts.js'
import { parseCidr } from '../spec/address.js'
import { gib, mib, showSize } from '../spec/size.js'
import { findRival } from './check-text.js'

/** A private subnet for the host that no route has; "none" in the odd case that there is no such. */
export function chooseHost(subnets: string[]): string {
  for (let third = 77; third < 77 + 256; third++) {
    const address = `192.168.${third % 256}.1/24`
    const cidr = parseCidr(address)
    if (cidr !== null && findRival(cidr, subnets) === null) return address
  }
  return 'none'
}

/** vCPUs of each machine: two, unless a node has not that many for each, or there is no KVM to use them. */
export function chooseCpus({ kvm, nodes }: Facts, machines: number): { cpus: number; why: string } {
  const all = nodes.reduce((sum, { cpus }) => sum + cpus.length, 0)
  if (!kvm.usable) return { cpus: 1, why: 'Without KVM more than one does not help.' }
  const cpus = Math.max(1, Math.min(2, Math.floor(all / machines)))
  return { cpus, why: `The host has ${all} CPUs for ${machines} ${machines === 1 ? 'machine' : 'machines'}.` }
}

/** Memory of each machine: 2G at most, and at most half of what is free now. */
export function chooseMemory(
  { nodes }: Facts,
  machines: number,
  isTestGuest: boolean,
): { memory: string; why: string } {
  if (isTestGuest) return { memory: '256M', why: "The demo's guest needs no more." }
  const share = nodes.reduce((sum, { freeBytes }) => sum + freeBytes, 0) / 2 / machines
  const bytes = [2 * gib, gib, 512 * mib, 256 * mib].find((size) => size <= share) ?? 128 * mib
  return { memory: showSize(bytes), why: 'At most half of the memory that is free now, for all of them.' }
}

/** The whole memory of the host in whole MiB. */
export function allMemory({ nodes }: Facts): number {
  const all = nodes.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)
  return Math.floor(all / mib) * mib
}

export function hasHugepages({ nodes, canReserveHugepages }: Facts): boolean {
  return canReserveHugepages || nodes.some(({ hugepages }) => hugepages.some(({ free }) => free > 0))
}
