import { cidrsOverlap, parseCidr, whyNotAHostAddress } from './address.js'
import { guestAddressComplaints } from './cross-check-guest-addresses.js'
import { hostServiceComplaints } from './cross-check-host-services.js'
import { linkComplaints } from './cross-check-links.js'
import { mirrorComplaints } from './cross-check-mirrors.js'
import type { Found, LooseMachine, LooseNetwork, LooseSpec } from './loose-spec.js'
import { whyNotACardMac } from './mac.js'
import { nearestWord } from './nearest-word.js'
import { type Complaint, showPath } from './problem.js'
import { mib, showSize } from './size.js'

/** What is wrong between values that are right by themselves. */
export function crossCheck(spec: LooseSpec): Complaint[] {
  return [
    ...repeatedNames(spec.networks, 'network'),
    ...repeatedNames(spec.machines, 'machine'),
    ...unknownNetworks(spec),
    ...addressComplaints(spec.networks),
    ...macComplaints(spec.machines),
    ...spec.machines.flatMap(machineComplaints),
    ...linkComplaints(spec),
    ...mirrorComplaints(spec),
    ...guestAddressComplaints(spec),
    ...hostServiceComplaints(spec),
  ]
}

function repeatedNames(owners: (LooseNetwork | LooseMachine)[], what: string): Complaint[] {
  return repeats(owners.flatMap(({ name }) => name ?? [])).map(({ again, first }) => ({
    code: 'name-duplicate',
    path: again.path,
    expected: `a ${what} name that is used once`,
    found: `${JSON.stringify(again.value)}, which is also ${showPath(first.path)}`,
  }))
}

function unknownNetworks({ networks, machines }: LooseSpec): Complaint[] {
  // A network whose own name is wrong may be the one meant; its problem is enough.
  if (networks.some(({ name }) => name === null)) return []
  const known = [...new Set(networks.flatMap(({ name }) => name?.value ?? []))]
  const named = machines.flatMap(({ interfaces }) => interfaces.flatMap(({ network }) => network ?? []))
  return named
    .filter(({ value }) => !known.includes(value))
    .map(({ value, path }) => {
      const meant = nearestWord(value, known)
      const hint = meant === null ? {} : { hint: `Did you mean ${meant}?` }
      const expected = known.length === 0 ? 'a network listed under networks' : `one of ${known.join(', ')}`
      return { code: 'network-unknown', path, expected, found: JSON.stringify(value), ...hint }
    })
}

function addressComplaints(networks: LooseNetwork[]): Complaint[] {
  const complaints: Complaint[] = []
  const seen: {
    network: number
    path: Complaint['path']
    cidr: NonNullable<ReturnType<typeof parseCidr>>
  }[] = []
  networks.forEach(({ addresses }, network) => {
    for (const { value, path } of addresses) {
      const cidr = parseCidr(value)
      const fault = cidr === null ? 'no such address' : whyNotAHostAddress(cidr)
      if (cidr === null || fault !== null) {
        const expected = 'an address that a host can have, such as 192.168.77.1/24'
        complaints.push({ code: 'address-invalid', path, expected, found: `${value}, ${fault}` })
        continue
      }
      const rival = seen.find((other) =>
        other.network === network ? other.cidr.address === cidr.address : cidrsOverlap(other.cidr, cidr),
      )
      if (rival !== undefined) {
        const found = `${value}, which overlaps ${showPath(rival.path)}`
        complaints.push({ code: 'address-overlap', path, expected: 'a subnet of its own', found })
      }
      seen.push({ network, path, cidr })
    }
  })
  return complaints
}

function macComplaints(machines: LooseMachine[]): Complaint[] {
  const macs = machines.flatMap(({ interfaces }) => interfaces.flatMap(({ mac }) => mac ?? []))
  const unusable = macs.flatMap(({ value, path }): Complaint[] => {
    const fault = whyNotACardMac(value)
    const expected = 'the address of one card'
    return fault === null ? [] : [{ code: 'mac-invalid', path, expected, found: `${value}, ${fault}` }]
  })
  const duplicates = repeats(macs).map(({ again, first }): Complaint => {
    const found = `${again.value}, which is also ${showPath(first.path)}`
    return { code: 'mac-duplicate', path: again.path, expected: 'a MAC address that is used once', found }
  })
  return [...unusable, ...duplicates]
}

function machineComplaints({ cpus, memory, nodes, hugepages, pageBytes }: LooseMachine): Complaint[] {
  const complaints: Complaint[] = []
  // Without hugepages QEMU still rounds odd sizes up and then refuses the mismatch.
  const step = hugepages === 'off' ? mib : (pageBytes ?? 2 * mib)
  if (memory !== null && memory.value % step !== 0) {
    const below = memory.value - (memory.value % step)
    const near = [below, below + step].filter((bytes) => bytes > 0).map(showSize)
    complaints.push({
      code: 'memory-uneven',
      path: memory.path,
      expected: `a multiple of ${showSize(step)}${hugepages === 'off' ? '' : ', the size of a hugepage'}`,
      found: showSize(memory.value),
      hint: `Use ${near.join(' or ')}.`,
    })
  }
  const cells = nodes === null || nodes.value === 'auto' ? 1 : nodes.value.length
  if (nodes !== null && (cpus?.value ?? 1) < cells) {
    const expected = `at most as many nodes as vCPUs (${cpus?.value ?? 1})`
    complaints.push({ code: 'cpus-short', path: nodes.path, expected, found: `${cells} nodes` })
  }
  if (nodes !== null && memory !== null && memory.value < cells * step) {
    const expected = `at least one page of ${showSize(step)} for each of ${cells} nodes`
    complaints.push({ code: 'memory-uneven', path: memory.path, expected, found: showSize(memory.value) })
  }
  return complaints
}

function repeats(all: Found<string>[]): { again: Found<string>; first: Found<string> }[] {
  const firsts = new Map<string, Found<string>>()
  return all.flatMap((again) => {
    const first = firsts.get(again.value)
    if (first === undefined) firsts.set(again.value, again)
    return first === undefined ? [] : [{ again, first }]
  })
}
