import type { MachinePlan, Plan } from '../../plan/plan.js'
import { element, type XmlElement } from '../../xml/xml.js'

export const vhostkitNamespace = 'urn:vhostkit:domain:1'

/**
 * Which network and port of the switch each card belongs to, and what its port
 * may do: whoever starts the domain, with the CLI or without, knows it from here.
 */
export function renderMetadata({ deployment }: Plan, { name, interfaces }: MachinePlan): XmlElement {
  const ports = interfaces.map(({ mac, network, port, policy }) =>
    element('vhostkit:interface', {
      mac,
      network,
      port,
      policy: policy === undefined ? null : JSON.stringify(policy),
    }),
  )
  const own = { 'xmlns:vhostkit': vhostkitNamespace, deployment, machine: name }
  return element('metadata', {}, element('vhostkit:domain', own, ...ports))
}
