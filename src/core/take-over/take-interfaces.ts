import { attributeOf, elementsOf, find, type XmlElement } from '../xml/xml.js'
import type { NetworkWord } from './gather-networks.js'
import { toPlain } from './plain-name.js'
import { takeBandwidth, takeVlan } from './take-limits.js'
import type { Taking } from './take-over.js'
import { takePolicy } from './take-policy.js'
import type { GuestNetwork } from './take-seed.js'

/** Kinds of cards whose other end becomes a network of the switch. */
const kernelTypes = ['network', 'bridge', 'ethernet', 'direct', 'user', 'internal', 'vhostuser']

/** What a card may have that the spec says, or that nobody misses. */
const usual = [
  'mac',
  'source',
  'model',
  'driver',
  'mtu',
  'alias',
  'rom',
  'address',
  'target',
  'boot',
  'link',
  'bandwidth',
  'vlan',
  'port',
]

/** The cards of a domain, each with its MAC, and the networks that they name. */
export function takeInterfaces(
  taking: Taking,
  guest: GuestNetwork,
): { interfaces: (Record<string, unknown> | string)[]; networks: NetworkWord[] } {
  const devices = find(taking.domain, 'devices')
  const nics = devices === null ? [] : elementsOf(devices, 'interface')
  const taken = nics.flatMap((nic) => takeInterface(taking, nic, guest))
  if (taken.length > 16)
    taking.leave(`${taken.length - 16} of ${taken.length} cards`, 'A machine has 16 at most.')
  const kept = taken.slice(0, 16)
  return { interfaces: kept.map(({ entry }) => entry), networks: kept.map(({ network }) => network) }
}

function takeInterface(taking: Taking, nic: XmlElement, guest: GuestNetwork) {
  const { mark, leave } = taking
  const mac = attributeOf(find(nic, 'mac'), 'address')?.toLowerCase() ?? ''
  const type = attributeOf(nic, 'type') ?? ''
  const called = `the card ${mac || 'without a MAC'}`
  if (!kernelTypes.includes(type)) {
    leave(called, `It is of type ${type}: the guest has the device itself, which no switch can stand behind.`)
    return []
  }
  const model = attributeOf(find(nic, 'model'), 'type')
  if (model === null || !model.startsWith('virtio'))
    leave(`the model ${model ?? 'rtl8139'} of ${called}`, 'It becomes virtio: the guest needs its driver.')
  if (attributeOf(find(nic, 'link'), 'state') === 'down')
    leave(`the link of ${called} that is down`, 'It is up.')
  const words = elementsOf(nic).flatMap(({ name }) => (usual.includes(name) ? [] : [`<${name}>`]))
  if (words.length > 0)
    leave(`${words.join(', ')} of ${called}`, 'The switch has other words: docs/spec.md, interfaces.')
  const known = mark?.interfaces.get(mac)
  const name = known?.network ?? networkOf(nic, type)
  if (known === undefined && type !== 'vhostuser')
    leave(
      `${describeSource(nic, type)} of ${called}`,
      `The card is on the switch's own network ${name}, without DHCP, router or uplink of that.`,
    )
  const policy = known === undefined ? null : takePolicy(taking, known.policy, called)
  // A card of ours has one when it says nothing; for others the plan chooses.
  const queues = Number(attributeOf(find(nic, 'driver'), 'queues') ?? (mark?.deployment == null ? 0 : 1))
  const { addresses = [], gateway = null } = guest.get(mac) ?? {}
  const entry = {
    network: name,
    ...(mac === '' ? {} : { mac }),
    ...(queues >= 1 && queues <= 64 ? { queues } : {}),
    ...(isSteady(taking, nic) ? {} : { carrier: 'follow' }),
    ...(policy ?? foreignPolicy(taking, nic, called)),
    ...(addresses.length === 0 ? {} : { address: addresses.length === 1 ? addresses[0] : addresses }),
    ...(gateway === null ? {} : { gateway }),
  }
  const mtu = Number(attributeOf(find(nic, 'mtu'), 'size') ?? 1500)
  const network = { name, mtu: mtu >= 68 && mtu <= 9216 ? mtu : 1500, link: known?.policy.link === true }
  return [{ entry, network }]
}

/** What libvirt's own network, bridge or device is called, as a name of ours. */
function networkOf(nic: XmlElement, type: string): string {
  const source = find(nic, 'source')
  const word =
    type === 'vhostuser' ? null : ['network', 'bridge', 'dev', 'name'].map((key) => attributeOf(source, key))
  return toPlain(word?.find((found) => found !== null) ?? '', 'lan')
}

function describeSource(nic: XmlElement, type: string): string {
  const source = find(nic, 'source')
  const word = ['network', 'bridge', 'dev', 'name']
    .map((key) => attributeOf(source, key))
    .find((found) => found !== null)
  return word === undefined
    ? `the kind ${type}`
    : `the ${type === 'network' ? 'libvirt network' : type} ${word}`
}

/** Cards of ours keep their carrier by a word for QEMU; those of others get the default. */
function isSteady({ domain, mark }: Taking, nic: XmlElement): boolean {
  if (mark?.deployment == null) return true
  const alias = attributeOf(find(nic, 'alias'), 'name')
  const override = elementsOf(domain).find(({ name }) => name.endsWith(':override'))
  const device = (override === undefined ? [] : elementsOf(override)).find(
    (one) => attributeOf(one, 'alias') === alias,
  )
  const properties = device === undefined ? [] : elementsOf(device).flatMap((front) => elementsOf(front))
  return properties.some(
    (one) => attributeOf(one, 'name') === 'status' && attributeOf(one, 'value') === 'false',
  )
}

/** What libvirt enforced on a card of its own, in the words of the switch. */
function foreignPolicy({ leave }: Taking, nic: XmlElement, called: string): Record<string, unknown> {
  const report = (what: string, why: string) => leave(`${what} of ${called}`, why)
  return {
    ...takeVlan(find(nic, 'vlan'), report),
    ...takeBandwidth(find(nic, 'bandwidth'), report),
    ...(attributeOf(find(nic, 'port'), 'isolated') === 'yes' ? { isolated: true } : {}),
  }
}
