import type { Facts } from '../facts/facts.js'
import { type Cidr, cidrsOverlap, parseCidr, showIpv4 } from '../spec/address.js'
import { natTable } from '../spec/names.js'
import type { NetworkSpec, Spec } from '../spec/spec.js'
import type { Notes } from './notes.js'
import type { Folders, MachinePlan, NatPlan, NetworkPlan } from './plan.js'
import { planDhcp } from './plan-dhcp.js'

/** What the host does for the guests of its networks, beside being there: addresses, names, the way out. */
export function planHostServices(
  spec: Spec,
  networks: NetworkPlan[],
  machines: MachinePlan[],
  host: { facts: Facts; folders: Folders },
  notes: Notes,
): NetworkPlan[] {
  return networks.map((plan, index) => {
    const network = spec.networks[index]
    if (network === undefined || plan.tap === null || (network.dhcp === null && !network.nat)) return plan
    refuseRivals(network, index, plan.tap.ifname, host.facts, notes)
    const dhcp = planDhcp(spec, network, index, machines, host, notes)
    const nat = planNat(spec, network, index, host.facts, notes)
    return { ...plan, ...(dhcp === null ? {} : { dhcp }), ...(nat === null ? {} : { nat }) }
  })
}

export function ipv4Of({ hostAddresses }: NetworkSpec): Cidr[] {
  return hostAddresses.map(parseCidr).filter((cidr) => cidr !== null && cidr.family === 4) as Cidr[]
}

/** Two ways to one subnet, and answers to guests would take the wrong one. */
function refuseRivals(
  network: NetworkSpec,
  index: number,
  ifname: string,
  { routes }: Facts,
  notes: Notes,
): void {
  for (const cidr of ipv4Of(network)) {
    const rival = routes.find(({ subnet, link }) => {
      const other = parseCidr(subnet)
      return link !== ifname && other !== null && cidrsOverlap(cidr, other)
    })
    if (rival === undefined) continue
    notes.refuse({
      code: 'subnet-in-use',
      path: ['networks', index, 'host'],
      expected: 'a subnet that the host has no other route to',
      found: `${showIpv4(cidr.address)}/${cidr.prefix}; ${rival.subnet} goes through ${rival.link}`,
    })
  }
}

function planNat(
  spec: Spec,
  network: NetworkSpec,
  index: number,
  { nft }: Facts,
  notes: Notes,
): NatPlan | null {
  if (!network.nat) return null
  if (nft === null) {
    const path = ['networks', index, 'nat']
    notes.refuse({ code: 'nft-missing', path, expected: 'nft, for nat', found: 'no such program' })
    return null
  }
  const subnets = ipv4Of(network).map(({ first, prefix }) => `${showIpv4(first)}/${prefix}`)
  const table = natTable(spec.name, network.name)
  notes.because(
    `network ${network.name} nat`,
    table,
    `The spec says so: ${subnets.join(', ')} leaves the host under its own address; from beyond only answers come in.`,
  )
  return { program: nft, table, subnets }
}
