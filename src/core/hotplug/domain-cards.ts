import { machineFolderOf } from '../hook/domain-needs.js'
import { attributeOf, elementsOf, find, type XmlElement } from '../xml/xml.js'

/** A card as a definition has it. */
export interface DomainCard {
  mac: string
  type: string
  alias: string
  /** Its socket and the folder of it, when that is one of ours; else null. */
  socket: string | null
  folder: string | null
}

export function cardsOf(domain: XmlElement, runFolder: string): DomainCard[] {
  return elementsOf(find(domain, 'devices') ?? domain, 'interface').map((nic) => {
    const source = find(nic, 'source')
    const type = attributeOf(nic, 'type') ?? ''
    const path = type === 'vhostuser' ? (attributeOf(source, 'path') ?? '') : ''
    const folder = machineFolderOf(path, runFolder)
    return {
      mac: attributeOf(find(nic, 'mac'), 'address')?.toLowerCase() ?? '',
      type,
      alias: attributeOf(find(nic, 'alias'), 'name') ?? '',
      socket: folder === null ? null : path,
      folder,
    }
  })
}
