import type { PortRequest } from '../render/artifacts.js'
import { interfaceAlias, renderInterface } from '../render/libvirt/interface.js'
import { macLimit } from '../render/switch/mac-limit.js'
import { domainPort, interfaceMac } from '../spec/names.js'
import { renderXml } from '../xml/render-xml.js'
import { find, textOf, type XmlElement } from '../xml/xml.js'
import { cardsOf } from './domain-cards.js'
import { type DomainWords, readWords } from './domain-words.js'
import { refuseAttach } from './refuse-attach.js'

export interface AttachWish {
  network: string
  /** Lower case; null: one is derived from the names. */
  mac: string | null
  queues: number
  mtu: number
  runFolder: string
}

/** A card that is to come: its port, its folder, its element, and the words about it. */
export interface Attachment {
  port: Extract<PortRequest, { kind: 'vhost-user' }>
  mac: string
  folder: string
  xml: string
  words: { before: DomainWords | null; after: DomainWords }
}

/** QEMU's limit for vhost-user, as for planned cards. */
const queueSize = 1024
const mostSocketBytes = 107

/**
 * One more card for a domain. `domain` is the definition that it starts from next, `live`
 * that of the machine that runs; null when it is off. Nothing that either has is used twice.
 */
export function planAttach(
  domain: XmlElement,
  live: XmlElement | null,
  wish: AttachWish,
): { refusals: string[] } | Attachment {
  const { network, queues, mtu, runFolder } = wish
  const name = textOf(find(domain, 'name'))
  const cards = [domain, ...(live === null ? [] : [live])].flatMap((each) => cardsOf(each, runFolder))
  const folder =
    cards.find((card) => card.folder !== null)?.folder ??
    `${runFolder}/machines/${textOf(find(domain, 'uuid')).toLowerCase()}`
  const words = readWords(domain)
  const ports = new Set(words?.cards.map(({ port }) => port))
  const isTaken = (index: number) =>
    ports.has(domainPort(name, index)) ||
    cards.some(
      ({ socket, alias }) => socket === `${folder}/net${index}.sock` || alias === interfaceAlias(index),
    )
  // Cards without words of ours have ports named by their place, so a new one counts on from there.
  let at = cardsOf(domain, runFolder).length
  while (isTaken(at)) at++
  const macs = new Set(cards.map(({ mac }) => mac))
  const mac = wish.mac ?? interfaceMac('libvirt', name, at, macs)
  const socket = `${folder}/net${at}.sock`
  const refusals = [
    ...refuseAttach(domain, live),
    ...(macs.has(mac) ? [`It has a card ${mac} already.`] : []),
    ...(new TextEncoder().encode(socket).length > mostSocketBytes
      ? [`The socket ${socket} would be longer than ${mostSocketBytes} bytes: use a shorter --run-dir.`]
      : []),
  ]
  if (refusals.length > 0) return { refusals }
  const port = { name: domainPort(name, at), network, socket }
  const card = { mac, network, port: port.name }
  return {
    port: { kind: 'vhost-user', ...port, role: 'client', queues, mtu, mac_limit: macLimit },
    mac,
    folder,
    xml: renderXml(
      renderInterface({
        index: at,
        network,
        port: port.name,
        mac,
        socket,
        queues,
        rxQueueSize: queueSize,
        txQueueSize: queueSize,
        mtu,
        vectors: 2 * queues + 2,
        carrier: 'steady',
      }),
    ),
    words: {
      before: words,
      after: { attributes: words?.attributes ?? {}, cards: [...(words?.cards ?? []), card] },
    },
  }
}
