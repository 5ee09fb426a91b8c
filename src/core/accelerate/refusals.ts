import { attributeOf, elementsOf, find, type XmlElement } from '../xml/xml.js'
import { refuseKind } from './refuse-kind.js'

/** Kinds of cards that become vhost-user ones: frames of theirs went through the host's kernel. */
const convertible = ['network', 'bridge', 'ethernet', 'direct', 'user', 'internal']

/** Words on a card that libvirt itself enforced, and would silently not on a vhost-user one. */
const enforced = ['filterref', 'bandwidth', 'vlan', 'port', 'portForward', 'teaming']

/** Why a domain cannot be accelerated, one sentence each. */
export function refuseDomain(domain: XmlElement, nics: XmlElement[]): string[] {
  const machine = find(domain, 'os', 'type')
  const memoryDevices = elementsOf(find(domain, 'devices') ?? domain, 'memory')
  return [
    ...refuseKind(domain),
    ...(/^(isapc|none|microvm|xen)/.test(attributeOf(machine, 'machine') ?? '')
      ? [`Its machine type ${attributeOf(machine, 'machine')} has no PCI bus for virtio cards.`]
      : []),
    ...(memoryDevices.length > 0
      ? ['It has memory devices (<memory model=…>), whose memory would not be shared.']
      : []),
    ...(find(domain, 'launchSecurity') === null
      ? []
      : ['It has <launchSecurity>: memory that is encrypted cannot be shared.']),
    ...(nics.length === 0 ? ['It has no network cards.'] : []),
  ]
}

export function refuseInterface(nic: XmlElement, index: number): string[] {
  const type = attributeOf(nic, 'type') ?? ''
  const model = attributeOf(find(nic, 'model'), 'type') ?? 'not given, which is rtl8139'
  const name = `Card ${index} (${attributeOf(find(nic, 'mac'), 'address') ?? 'without MAC'})`
  if (type === 'vhostuser') return [`${name} is a vhost-user one already.`]
  return [
    ...(convertible.includes(type)
      ? []
      : [`${name} is of type ${type}, which is no card of the host's kernel.`]),
    ...(/^virtio(-non-transitional)?$/.test(model)
      ? []
      : [`${name} has the model ${model}; only virtio works.`]),
    ...enforced
      .filter((word) => find(nic, word) !== null)
      .map((word) => `${name} has <${word}>, which libvirt does not enforce on vhost-user cards.`),
  ]
}
