import { VhostkitError } from '../errors.js'
import { attributeOf, find, textOf, type XmlElement } from '../xml/xml.js'

/** Why nothing of a definition could be a machine of ours. */
export function refuseTakeOver(domain: XmlElement): VhostkitError[] {
  const type = attributeOf(domain, 'type') ?? ''
  const machine = find(domain, 'os', 'type')
  const arch = attributeOf(machine, 'arch') ?? 'x86_64'
  const refusals = [
    ...(domain.name === 'domain' ? [] : [`It is <${domain.name}>, not a <domain>.`]),
    ...(type === 'kvm' || type === 'qemu'
      ? []
      : [`Its type is ${type || 'not given'}: only kvm and qemu have vhost-user.`]),
    ...(textOf(machine) === 'hvm' ? [] : ['Its <os> is not hvm.']),
    ...(arch === 'x86_64' ? [] : [`Its processor is ${arch}; vhostkit knows x86_64 only.`]),
  ]
  if (refusals.length === 0) return []
  const name = textOf(find(domain, 'name')) || 'The definition'
  return [
    new VhostkitError('domain-refused', {
      sentence: `${name} cannot be taken over. ${refusals.join(' ')}`,
      hint: 'Write a spec by hand: docs/spec.md.',
    }),
  ]
}
