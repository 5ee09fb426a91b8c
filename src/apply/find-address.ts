import { VhostkitError } from '../core/errors.js'
import type { NetworkPlan } from '../core/plan/plan.js'
import { type Cidr, parseCidr } from '../core/spec/address.js'
import { readMachine } from '../drivers/machines.js'
import { readAgentAddresses } from '../drivers/network/guest-agent.js'
import { readLeases } from '../drivers/network/leases.js'
import { callNeighbours, type Neighbour, readNeighbours } from '../drivers/network/neighbours.js'
import { findMachine } from './find-machine.js'
import { type Receipt, readReceipt } from './receipt.js'

/** Where a machine can be reached from the host, and how that is known. */
export interface FoundAddress {
  deployment: string
  machine: string
  network: string
  mac: string
  /** With its scope when it is link-local: "fe80::1%vk84a1c3-lan". */
  address: string
  /** lease: of the network's dnsmasq; neighbour: the host has met it on the tap; spec: it was told to have it; agent: it says so. */
  source: 'lease' | 'neighbour' | 'spec' | 'agent'
  /** Of its cloud-init seed; null: none is known. */
  user: string | null
}

/** A card on a network that the host is on. */
interface Card {
  mac: string
  network: NetworkPlan
  ifname: string
}

type Source = [FoundAddress['source'], (card: Card) => Promise<string | null>]

/** The address of the machine of a word; the surest source that knows one. */
export async function findAddress(stateFolder: string, word: string): Promise<FoundAddress> {
  const { deployment, machine } = await findMachine(stateFolder, word)
  const called = `${deployment}/${machine.name}`
  const receipt = await readReceipt(stateFolder, deployment)
  const plan = receipt?.plan.machines.find(({ name }) => name === machine.name)
  if (receipt === null || plan === undefined) throw new VhostkitError('not-found')
  if (!(await readMachine(machine)).running) {
    throw new VhostkitError('address-unknown', {
      sentence: `${called} does not run.`,
      hint: `Start it: vhostkit start ${deployment} ${machine.name}`,
    })
  }
  const cards = plan.interfaces.flatMap(({ network, mac }): Card[] => {
    const found = receipt.plan.networks.find(({ name }) => name === network)
    return found === undefined || found.tap === null
      ? []
      : [{ mac, network: found, ifname: found.tap.ifname }]
  })
  if (cards.length === 0) {
    throw new VhostkitError('address-unknown', {
      sentence: `${called} is on no network that the host is on.`,
      hint: 'Give one of its networks host: with an address, and apply again.',
    })
  }
  const told = plan.storage?.cloudInit ?? null
  const sources: Source[] = [
    ['lease', (card) => findLease(receipt, card)],
    ['neighbour', findNeighbour],
    ['spec', async (card) => findTold(told?.network ?? [], card)],
    ['agent', async (card) => pick(await readAgentAddresses(machine, plan.agentSocket), card)],
    ['neighbour', async (card) => callNeighbours(card.ifname).then(() => findNeighbour(card))],
  ]
  for (const [source, find] of sources) {
    for (const card of cards) {
      const address = await find(card)
      if (address === null) continue
      const known = { deployment, machine: machine.name, network: card.network.name, mac: card.mac }
      return { ...known, address, source, user: told?.user ?? null }
    }
  }
  throw new VhostkitError('address-unknown', {
    sentence: `No address of ${called} is known: no lease, and nobody with MAC ${cards.map(({ mac }) => mac).join(' or ')} was met.`,
  })
}

async function findLease({ artifacts }: Receipt, { mac, network }: Card): Promise<string | null> {
  const server = artifacts.dhcp?.find((dhcp) => dhcp.network === network.name)
  const leases = server === undefined ? [] : await readLeases(server.leaseFile)
  return leases.findLast((lease) => lease.mac === mac)?.address ?? null
}

async function findNeighbour(card: Card): Promise<string | null> {
  return pick(await readNeighbours(card.ifname), card)
}

function findTold(networks: { mac: string; addresses: string[] }[], card: Card): string | null {
  const addresses = networks.filter(({ mac }) => mac === card.mac).flatMap((one) => one.addresses)
  return pick(
    addresses.map((cidr) => ({ mac: card.mac, address: cidr.split('/')[0] ?? '' })),
    card,
  )
}

/** The first address of the card that the host reaches through the tap: a guest may say or claim any. */
function pick(all: Neighbour[], { mac, network, ifname }: Card): string | null {
  const own = all.filter((one) => one.mac === mac).map(({ address }) => address)
  const subnets = network.tap?.addresses.map(parseCidr).filter((cidr) => cidr !== null) ?? []
  const near = own.find((address) => subnets.some((subnet) => holds(subnet, address)))
  const local = own.find((address) => /^fe80:/i.test(address))
  return near ?? (local === undefined ? null : `${local}%${ifname}`)
}

function holds(subnet: Cidr, address: string): boolean {
  const one = parseCidr(`${address}/${subnet.family === 4 ? 32 : 128}`)
  return (
    one !== null && one.family === subnet.family && subnet.first <= one.address && one.address <= subnet.last
  )
}
