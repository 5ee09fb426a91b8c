import { attributeOf, find, textOf, type XmlElement } from '../xml/xml.js'

/** Why a definition is of no kind of domain that can have vhost-user cards of ours, one sentence each. */
export function refuseKind(domain: XmlElement): string[] {
  const type = attributeOf(domain, 'type') ?? ''
  const machine = find(domain, 'os', 'type')
  const arch = attributeOf(machine, 'arch') ?? 'x86_64'
  return [
    ...(domain.name === 'domain' ? [] : [`It is <${domain.name}>, not a <domain>.`]),
    ...(type === 'kvm' || type === 'qemu'
      ? []
      : [`Its type is ${type || 'not given'}: only kvm and qemu have vhost-user.`]),
    ...(textOf(machine) === 'hvm' ? [] : ['Its <os> is not hvm.']),
    ...(arch === 'x86_64' ? [] : [`Its processor is ${arch}; vhostkit knows x86_64 only.`]),
  ]
}
