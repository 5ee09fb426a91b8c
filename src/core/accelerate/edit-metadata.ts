import { vhostkitNamespace } from '../render/libvirt/metadata.js'
import { type Edit, insertAfter, insertInto, removeElement } from '../xml/edit-text.js'
import { renderXml } from '../xml/render-xml.js'
import { element, elementsOf, find, type XmlElement } from '../xml/xml.js'
import type { ConvertedInterface } from './edit-interface.js'

/** Says in the definition itself which network and port each card belongs to: the hook reads it there. */
export function editMetadata(text: string, domain: XmlElement, interfaces: ConvertedInterface[]): Edit[] {
  const own = element(
    'vhostkit:domain',
    { 'xmlns:vhostkit': vhostkitNamespace },
    ...interfaces.map(({ mac, network, port }) => element('vhostkit:interface', { mac, network, port })),
  )
  const metadata = find(domain, 'metadata')
  if (metadata !== null) {
    // A copy of an accelerated domain may have the words about that one still.
    const old = elementsOf(metadata).filter((child) =>
      child.attributes.some(({ value }) => value === vhostkitNamespace),
    )
    return [...old.map((child) => removeElement(text, child)), insertInto(text, metadata, renderXml(own))]
  }
  const place = find(domain, 'uuid') ?? find(domain, 'name')
  return place === null ? [] : [insertAfter(text, place, renderXml(element('metadata', {}, own)))]
}
