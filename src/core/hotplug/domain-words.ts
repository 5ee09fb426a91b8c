import { vhostkitNamespace } from '../render/libvirt/metadata.js'
import { renderXml } from '../xml/render-xml.js'
import { attributeOf, element, elementsOf, find, type XmlElement } from '../xml/xml.js'

/** One card of the words of ours in a definition: attributes in their order, as they stand there. */
export type CardWords = Record<string, string>

/** What stands about a domain in its metadata: its own attributes, and its cards. */
export interface DomainWords {
  attributes: Record<string, string>
  cards: CardWords[]
}

export function readWords(domain: XmlElement): DomainWords | null {
  const own = elementsOf(find(domain, 'metadata') ?? domain).find(
    ({ name, attributes }) =>
      name.endsWith(':domain') && attributes.some(({ value }) => value === vhostkitNamespace),
  )
  if (own === undefined) return null
  return { attributes: plain(own), cards: elementsOf(own).map(plain) }
}

/** As `virsh metadata --set` takes it: without the namespace, which libvirt adds. */
export function renderWords({ attributes, cards }: DomainWords): string {
  return renderXml(element('domain', attributes, ...cards.map((card) => element('interface', card))))
}

function plain(owner: XmlElement): Record<string, string> {
  const names = owner.attributes.map(({ name }) => name).filter((name) => !name.startsWith('xmlns'))
  return Object.fromEntries(names.map((name) => [name, attributeOf(owner, name) ?? '']))
}
