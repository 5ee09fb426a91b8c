import { type Edit, insertAfter, removeElement, setAttribute } from '../xml/edit-text.js'
import { renderXml } from '../xml/render-xml.js'
import { attributeOf, element, elementsOf, find, type XmlElement } from '../xml/xml.js'

export interface ConvertedInterface {
  mac: string
  network: string
  port: string
  edits: Edit[]
}

export interface InterfaceWish {
  socket: string
  network: string | null
  port: string
}

const nameOfNetwork = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/

/** What of a card changes: its type and where its frames go. MAC, model, PCI address and boot order stay. */
export function editInterface(text: string, nic: XmlElement, wish: InterfaceWish): ConvertedInterface {
  const source = find(nic, 'source')
  const mac = find(nic, 'mac')
  const line = renderXml(element('source', { type: 'unix', path: wish.socket, mode: 'server' })).trimEnd()
  const sourceEdit: Edit =
    source !== null
      ? { start: source.start, end: source.end, text: line }
      : insertAfter(text, mac ?? find(nic, 'model') ?? nic, line)
  // The host's side of the old card, which no vhost-user one has.
  const gone = ['target', 'virtualport', 'backend', 'ip', 'route', 'guest']
    .flatMap((name) => elementsOf(nic, name))
    .map((child) => removeElement(text, child))
  return {
    mac: attributeOf(mac, 'address')?.toLowerCase() ?? '',
    network: wish.network ?? networkOf(source),
    port: wish.port,
    edits: [setAttribute(text, nic, 'type', 'vhostuser'), sourceEdit, ...gone],
  }
}

function networkOf(source: XmlElement | null): string {
  const names = ['network', 'bridge', 'dev'].map((key) => attributeOf(source, key) ?? '')
  return names.find((name) => nameOfNetwork.test(name)) ?? 'default'
}
