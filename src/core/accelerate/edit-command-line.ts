import { qemuNamespace } from '../render/libvirt/override.js'
import { type Edit, insertInto, setAttribute } from '../xml/edit-text.js'
import { renderXml } from '../xml/render-xml.js'
import { attributeOf, element, find, type XmlElement } from '../xml/xml.js'

/** QEMU 7.2 crashes under TCG when a vhost-user card uses MSI-X, so there cards get no vectors. */
const noVectors = ['-global', 'virtio-net-pci.vectors=0']

export function editCommandLine(text: string, domain: XmlElement): Edit[] {
  if (attributeOf(domain, 'type') !== 'qemu') return []
  const words = noVectors.map((value) => element('qemu:arg', { value }))
  const there = find(domain, 'qemu:commandline')
  if (there !== null) return [insertInto(text, there, words.map((word) => renderXml(word)).join(''))]
  return [
    ...(attributeOf(domain, 'xmlns:qemu') === null
      ? [setAttribute(text, domain, 'xmlns:qemu', qemuNamespace)]
      : []),
    insertInto(text, domain, renderXml(element('qemu:commandline', {}, ...words))),
  ]
}
