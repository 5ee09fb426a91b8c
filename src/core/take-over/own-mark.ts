import type { PortPolicy } from '../plan/plan.js'
import { vhostkitNamespace } from '../render/libvirt/metadata.js'
import { namePattern } from '../spec/names.js'
import { attributeOf, elementsOf, find, type XmlElement } from '../xml/xml.js'

/** What we wrote into the metadata of a domain: with a deployment when we made it, without when it was accelerated. */
export interface OwnMark {
  deployment: string | null
  machine: string | null
  /** By MAC, in lower case. */
  interfaces: Map<string, { network: string; policy: PortPolicy }>
}

/** null: vhostkit never touched the domain. */
export function readMark(domain: XmlElement): OwnMark | null {
  const own = elementsOf(find(domain, 'metadata') ?? domain).find(
    ({ name, attributes }) =>
      name.endsWith(':domain') && attributes.some(({ value }) => value === vhostkitNamespace),
  )
  if (own === undefined) return null
  const nameOf = (key: string) => {
    const value = attributeOf(own, key)
    return value !== null && namePattern.test(value) ? value : null
  }
  const interfaces: OwnMark['interfaces'] = new Map()
  for (const nic of elementsOf(own)) {
    const network = attributeOf(nic, 'network') ?? ''
    if (!namePattern.test(network)) continue
    const mac = attributeOf(nic, 'mac')?.toLowerCase() ?? ''
    interfaces.set(mac, { network, policy: readPolicy(attributeOf(nic, 'policy')) })
  }
  const [deployment, machine] = [nameOf('deployment'), nameOf('machine')]
  // Both or none: half a mark is somebody's edit.
  return deployment === null || machine === null
    ? { deployment: null, machine: null, interfaces }
    : { deployment, machine, interfaces }
}

function readPolicy(text: string | null): PortPolicy {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    return typeof value === 'object' && value !== null ? (value as PortPolicy) : {}
  } catch {
    return {}
  }
}
