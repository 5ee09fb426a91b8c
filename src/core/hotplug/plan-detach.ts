import { domainPort } from '../spec/names.js'
import { renderXml } from '../xml/render-xml.js'
import { element, find, textOf, type XmlElement } from '../xml/xml.js'
import { cardsOf } from './domain-cards.js'
import { type DomainWords, readWords } from './domain-words.js'

export interface DetachWish {
  network: string
  /** Lower case; null: the only card on that network. */
  mac: string | null
  runFolder: string
}

/** A card that is to go. */
export interface Detachment {
  mac: string
  port: string
  socket: string
  folder: string
  /** Names the card for libvirt, by its MAC. */
  xml: string
  isLive: boolean
  isDefined: boolean
  words: { before: DomainWords | null; after: DomainWords | null }
}

/** Which card goes, or why none can, one sentence each. */
export function planDetach(
  domain: XmlElement,
  live: XmlElement | null,
  { network, mac, runFolder }: DetachWish,
): { refusals: string[] } | Detachment {
  const defined = known(domain, runFolder)
  const running = live === null ? [] : known(live, runFolder)
  const all = new Map([...defined, ...running].map((card) => [card.mac, card]))
  const found = [...all.values()].filter((card) => card.network === network && (mac ?? card.mac) === card.mac)
  const [card] = found
  if (card === undefined) return { refusals: [explainNone([...all.values()], network, mac)] }
  if (found.length > 1) {
    const macs = found.map((one) => one.mac).join(', ')
    return { refusals: [`It has ${found.length} cards on ${network}: say which with --mac (${macs}).`] }
  }
  const words = readWords(domain)
  const rest = words?.cards.filter((one) => one.mac?.toLowerCase() !== card.mac) ?? []
  const kept = words !== null && (rest.length > 0 || Object.keys(words.attributes).length > 0)
  return {
    mac: card.mac,
    port: card.port,
    socket: card.socket,
    folder: card.folder,
    xml: renderXml(
      element(
        'interface',
        { type: 'vhostuser' },
        element('mac', { address: card.mac }),
        element('source', { type: 'unix', path: card.socket, mode: 'server' }),
        element('model', { type: 'virtio' }),
      ),
    ),
    isLive: running.some((one) => one.mac === card.mac),
    isDefined: defined.some((one) => one.mac === card.mac),
    words: { before: words, after: kept ? { attributes: words.attributes, cards: rest } : null },
  }
}

interface KnownCard {
  mac: string
  network: string
  port: string
  socket: string
  folder: string
}

/** Cards with a socket of ours, each with its network and port as the hook would name them. */
function known(domain: XmlElement, runFolder: string): KnownCard[] {
  const words = readWords(domain)
  const name = textOf(find(domain, 'name'))
  return cardsOf(domain, runFolder).flatMap(({ mac, socket, folder }, index) => {
    if (socket === null || folder === null) return []
    const own = words?.cards.find((card) => card.mac?.toLowerCase() === mac)
    return [
      { mac, socket, folder, network: own?.network ?? 'default', port: own?.port ?? domainPort(name, index) },
    ]
  })
}

function explainNone(cards: KnownCard[], network: string, mac: string | null): string {
  const wanted = mac === null ? `no card on ${network}` : `no card ${mac} on ${network}`
  const there = cards.map((card) => `${card.mac} on ${card.network}`).join(', ')
  return `It has ${wanted}; found ${there === '' ? 'no vhost-user card of ours' : there}.`
}
