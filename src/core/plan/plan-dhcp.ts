import type { Facts } from '../facts/facts.js'
import { type Cidr, parseCidr, showIpv4 } from '../spec/address.js'
import { networkFolder } from '../spec/names.js'
import type { MachineSpec, NetworkSpec, Spec } from '../spec/spec.js'
import type { Notes } from './notes.js'
import type { DhcpHostPlan, DhcpPlan, Folders, MachinePlan } from './plan.js'

/** The dnsmasq of a network; null when none is wanted, or this host has none. */
export function planDhcp(
  spec: Spec,
  network: NetworkSpec,
  index: number,
  machines: MachinePlan[],
  { facts, folders }: { facts: Facts; folders: Folders },
  notes: Notes,
): DhcpPlan | null {
  const { name, dhcp, nat, hostAddresses } = network
  const cidr = hostAddresses.map(parseCidr).find((address) => address?.family === 4) ?? null
  if (dhcp === null || cidr === null) return null
  if (facts.dnsmasq === null) {
    const expected = 'dnsmasq, and a user dnsmasq or nobody that it can run as'
    const path = ['networks', index, 'dhcp']
    notes.refuse({ code: 'dnsmasq-missing', path, expected, found: 'no such program or user' })
    return null
  }
  const range = dhcp.range ?? chooseRange(cidr)
  notes.because(
    `network ${name} dhcp`,
    `${range.first}-${range.last}`,
    dhcp.range === null
      ? "The spec leaves the range open: the upper half of the host's subnet, so that fixed addresses have the lower one."
      : 'The spec says so.',
  )
  const { path: program, user, group } = facts.dnsmasq
  const { leaseSeconds, dns, domain } = dhcp
  return {
    program,
    user,
    group,
    folder: networkFolder(folders.run, spec.name, name),
    address: showIpv4(cidr.address),
    netmask: showIpv4((cidr.last - cidr.first) ^ 0xffffffffn),
    ...range,
    leaseSeconds,
    router: nat,
    dns,
    domain,
    hosts: planHosts(spec, name, machines, notes),
  }
}

/** The upper half of a subnet; all of a small one. The host's own address is never handed out. */
function chooseRange({ first, last, address, prefix }: Cidr): { first: string; last: string } {
  const half = (last - first + 1n) / 2n
  const low = prefix > 27 ? first + 1n : first + half
  const high = last - 1n
  // A host in the middle would part the range: the larger part is taken.
  if (address < low || address > high) return { first: showIpv4(low), last: showIpv4(high) }
  return address - low > high - address
    ? { first: showIpv4(low), last: showIpv4(address - 1n) }
    : { first: showIpv4(address + 1n), last: showIpv4(high) }
}

/** The cards of the network. A machine's name is that of its first card on it, and only of the first machine that has it. */
function planHosts(spec: Spec, network: string, machines: MachinePlan[], notes: Notes): DhcpHostPlan[] {
  const taken = new Set<string>()
  return spec.machines.flatMap((machine) => {
    const plan = machines.find(({ name }) => name === machine.name)
    let named = false
    return machine.interfaces.flatMap((nic, index): DhcpHostPlan[] => {
      const mac = plan?.interfaces[index]?.mac
      if (nic.network !== network || mac === undefined) return []
      if (nic.vlan !== null) {
        notes.because(
          `machine ${machine.name} net${index} dhcp`,
          'no',
          "It is in a VLAN, where the host's tap does not answer; give it an address of its own.",
        )
        return []
      }
      const wanted = hostName(machine)
      const name = named || wanted === null || taken.has(wanted) ? null : wanted
      if (name !== null) taken.add(name)
      named = true
      const own = nic.addresses.map(parseCidr).find((cidr) => cidr?.family === 4) ?? null
      return [{ mac, name, address: own === null ? null : showIpv4(own.address) }]
    })
  })
}

/** A name that DNS takes, from the host name or the machine's own; null when nothing is left of it. */
export function hostName({ name, cloudInit }: Pick<MachineSpec, 'name' | 'cloudInit'>): string | null {
  const words = (cloudInit?.hostname?.split('.')[0] ?? name).toLowerCase().replace(/[^a-z0-9]+/g, '-')
  const label = words.slice(0, 63).replace(/^-+|-+$/g, '')
  return label === '' ? null : label
}
