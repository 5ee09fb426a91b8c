import { type Cidr, parseCidr, whyNotAHostAddress } from './address.js'
import type { Found, LooseNetwork, LooseSpec } from './loose-spec.js'
import type { Complaint } from './problem.js'
import type { DhcpSpec } from './spec.js'

/** DHCP and NAT are the host's to give, so it must be on the network, with an IPv4 subnet that has room for guests. */
export function hostServiceComplaints({ networks, machines }: LooseSpec): Complaint[] {
  return networks.flatMap((network): Complaint[] => {
    const { name, dhcp, nat, addresses } = network
    const wanted = [dhcp, nat].filter((found) => found !== null)
    if (wanted.length === 0) return []
    const host = firstIpv4(network)
    // A host address that is wrong by itself has its own complaint, and may be the one that is needed.
    if (host === null && addresses.length > 0 && addresses.some(({ value }) => !value.includes(':')))
      return []
    if (host === null) return wanted.map(({ path }) => hostMissing(path, network))
    const guests = machines
      .flatMap(({ interfaces }) => interfaces)
      .filter((nic) => name !== null && nic.network?.value === name.value)
      .flatMap((nic) => nic.addresses)
    return dhcp === null
      ? []
      : [...rangeComplaints(dhcp, host), ...guests.flatMap((guest) => strayGuest(guest, host))]
  })
}

function hostMissing(path: Complaint['path'], { addresses }: LooseNetwork): Complaint {
  const found = addresses.length === 0 ? 'no host address' : 'IPv6 addresses only'
  return { code: 'host-missing', path, expected: 'host: with an IPv4 address on this network', found }
}

function firstIpv4({ addresses }: LooseNetwork): Cidr | null {
  const usable = addresses
    .map(({ value }) => parseCidr(value))
    .filter((cidr) => cidr !== null && cidr.family === 4 && whyNotAHostAddress(cidr) === null)
  return usable[0] ?? null
}

function rangeComplaints({ value, path }: Found<DhcpSpec>, host: Cidr): Complaint[] {
  const { range } = value
  if (host.prefix > 30) {
    const expected = 'a host subnet with room for guests, /30 or larger'
    return [{ code: 'dhcp-range', path, expected, found: `/${host.prefix}` }]
  }
  if (range === null) return []
  const [first, last] = [range.first, range.last].map((address) => parseCidr(`${address}/32`)?.address ?? 0n)
  if (first === undefined || last === undefined) return []
  const inside = host.first < first && last < host.last
  if (inside && first <= last && !(first <= host.address && host.address <= last)) return []
  return [
    {
      code: 'dhcp-range',
      path: [...path, 'range'],
      expected: "addresses of the host's subnet, the lower one first, without the host's own",
      found: `${range.first}-${range.last}`,
    },
  ]
}

/** dnsmasq gives a machine its fixed address only within the subnet. */
function strayGuest({ value, path }: Found<string>, host: Cidr): Complaint[] {
  const guest = parseCidr(value)
  if (guest === null || guest.family !== 4) return []
  if (host.first < guest.address && guest.address < host.last) return []
  const expected = "an IPv4 address of the host's subnet, since the network has dhcp"
  return [{ code: 'address-invalid', path, expected, found: value }]
}
