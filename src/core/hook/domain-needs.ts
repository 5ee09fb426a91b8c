import type { PortPolicy } from '../plan/plan.js'
import type { PortRequest } from '../render/artifacts.js'
import { vhostkitNamespace } from '../render/libvirt/metadata.js'
import { macLimit } from '../render/switch/mac-limit.js'
import { domainPort } from '../spec/names.js'
import { attributeOf, elementsOf, find, textOf, type XmlElement } from '../xml/xml.js'
import { type PageNeed, pageNeeds } from './page-needs.js'

/** What a domain that is about to start needs of this host, read from its own definition. */
export interface DomainNeeds {
  name: string
  uuid: string
  /** The folders of its sockets, below the folder of machines. */
  folders: string[]
  ports: PortRequest[]
  pages: PageNeed[]
}

const portName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * The needs of a domain with vhost-user cards whose sockets are in folders of ours,
 * whoever made it; null when it has none, so that it is none of our business.
 */
export function domainNeeds(domain: XmlElement, runFolder: string): DomainNeeds | null {
  const name = textOf(find(domain, 'name'))
  const uuid = textOf(find(domain, 'uuid')).toLowerCase()
  const devices = find(domain, 'devices')
  if (devices === null || !uuidPattern.test(uuid)) return null
  const known = readMetadata(domain)
  const sockets = elementsOf(devices, 'interface').flatMap((nic, index) => {
    const source = find(nic, 'source')
    const socket = attributeOf(source, 'path') ?? ''
    const folder = machineFolderOf(socket, runFolder)
    const ours = attributeOf(nic, 'type') === 'vhostuser' && attributeOf(source, 'type') === 'unix'
    return ours && folder !== null ? [{ nic, index, socket, folder, mode: attributeOf(source, 'mode') }] : []
  })
  if (sockets.length === 0) return null
  const ports = sockets.map(({ nic, index, socket, mode }): PortRequest => {
    const mac = attributeOf(find(nic, 'mac'), 'address')?.toLowerCase() ?? ''
    const planned = known.get(mac)
    const place = {
      name: planned?.port ?? domainPort(name, index),
      network: planned?.network ?? 'default',
      socket,
    }
    const queues = Number(attributeOf(find(nic, 'driver'), 'queues') ?? 1)
    const mtu = Number(attributeOf(find(nic, 'mtu'), 'size') ?? 1500)
    const policy = planned?.policy
    const limits = { mtu, mac_limit: macLimit, ...(policy === undefined ? {} : { policy }) }
    // `mode` is QEMU's role; ours is the other one.
    return { kind: 'vhost-user', ...place, role: mode === 'client' ? 'server' : 'client', queues, ...limits }
  })
  const folders = [...new Set(sockets.map(({ folder }) => folder))]
  return { name, uuid, folders, ports, pages: pageNeeds(domain) }
}

/** The folder of a socket when that is one directly below the folder of machines; else null. */
export function machineFolderOf(socket: string, runFolder: string): string | null {
  const start = `${runFolder}/machines/`
  if (!socket.startsWith(start)) return null
  const parts = socket.slice(start.length).split('/')
  if (parts.length !== 2 || parts.some((part) => part === '' || part === '.' || part === '..')) return null
  return `${start}${parts[0]}`
}

interface KnownInterface {
  port: string
  network: string
  policy: PortPolicy | undefined
}

/** What vhostkit itself wrote into the definition, by MAC; what is no name is as if it were not there. */
function readMetadata(domain: XmlElement): Map<string, KnownInterface> {
  const own = elementsOf(find(domain, 'metadata') ?? domain).find(
    ({ name, attributes }) =>
      name.endsWith(':domain') && attributes.some(({ value }) => value === vhostkitNamespace),
  )
  const known = new Map<string, KnownInterface>()
  for (const nic of own === undefined ? [] : elementsOf(own)) {
    const [mac, port, network] = ['mac', 'port', 'network'].map((key) => attributeOf(nic, key) ?? '')
    if (mac === undefined || port === undefined || network === undefined) continue
    if (!portName.test(port) || !portName.test(network)) continue
    known.set(mac.toLowerCase(), { port, network, policy: readPolicy(attributeOf(nic, 'policy')) })
  }
  return known
}

/** The switch checks what is in it. */
function readPolicy(text: string | null): PortPolicy | undefined {
  if (text === null) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as PortPolicy) : undefined
  } catch {
    return undefined
  }
}
