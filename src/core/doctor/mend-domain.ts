import { editMemory } from '../accelerate/edit-memory.js'
import { vhostkitNamespace } from '../render/libvirt/metadata.js'
import { applyEdits, type Edit, insertAfter, setAttribute } from '../xml/edit-text.js'
import { parseXml } from '../xml/parse-xml.js'
import { attributeOf, elementsOf, find, type XmlElement } from '../xml/xml.js'
import type { DomainEdit } from './repair.js'

/** The definition with one thing mended; every other byte is as it was. */
export function mendDomain(xml: string, edit: DomainEdit): string {
  const domain = parseXml(xml)
  if ('share' in edit) return applyEdits(xml, editMemory(xml, domain, { pageBytes: null, node: null }))
  const nics = elementsOf(find(domain, 'devices') ?? domain, 'interface')
  const nic = nics[edit.interface]
  if (nic === undefined) return xml
  return applyEdits(
    xml,
    'mtu' in edit ? setMtu(xml, nic, edit.mtu) : setMac(xml, domain, nics, nic, edit.mac),
  )
}

function setMtu(xml: string, nic: XmlElement, mtu: number): Edit[] {
  const there = find(nic, 'mtu')
  if (there !== null) return [setAttribute(xml, there, 'size', String(mtu))]
  const before = find(nic, 'driver') ?? find(nic, 'model') ?? find(nic, 'source')
  return before === null ? [] : [insertAfter(xml, before, `<mtu size='${mtu}'/>`)]
}

/** Our own line about the card names it by its MAC, so that follows. */
function setMac(xml: string, domain: XmlElement, nics: XmlElement[], nic: XmlElement, mac: string): Edit[] {
  const own = find(nic, 'mac')
  if (own === null) return []
  const old = attributeOf(own, 'address')?.toLowerCase() ?? ''
  const same = (other: XmlElement) => attributeOf(find(other, 'mac'), 'address')?.toLowerCase() === old
  const turn = nics.slice(0, nics.indexOf(nic)).filter(same).length
  const ours = elementsOf(find(domain, 'metadata') ?? domain).find(({ attributes }) =>
    attributes.some(({ value }) => value === vhostkitNamespace),
  )
  const lines = ours === undefined ? [] : elementsOf(ours)
  const line = lines.filter((one) => attributeOf(one, 'mac')?.toLowerCase() === old)[turn]
  const edits = [setAttribute(xml, own, 'address', mac)]
  return line === undefined ? edits : [...edits, setAttribute(xml, line, 'mac', mac)]
}
