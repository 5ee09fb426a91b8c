import { objectOf, parseObject, textsOf } from '../loose-values.js'
import type { Taking } from './take-over.js'

/** What a guest was told of its cards, by MAC. */
export type GuestNetwork = Map<string, { addresses: string[]; gateway: string | null }>

/** The `cloud-init` of a seed that we made: its user-data word for word, the rest by its keys. */
export function takeSeed(
  { sights, leave }: Taking,
  path: string | null,
): { cloudInit: Record<string, unknown> | null; guestNetwork: GuestNetwork } {
  const guestNetwork: GuestNetwork = new Map()
  if (path === null) return { cloudInit: null, guestNetwork }
  const files = sights.seeds.find((seed) => seed.path === path)?.files
  if (files === undefined) {
    leave(`the seed ${path}`, 'The receipt of its deployment, which knows what is on it, is not here.')
    return { cloudInit: null, guestNetwork }
  }
  const fileOf = (name: string) => files.find((file) => file.name === name)?.text
  const meta = parseObject(fileOf('meta-data') ?? '{}')
  const network = parseObject(fileOf('network-config') ?? '{}')
  const cards = Object.values(objectOf(network.ethernets)).map(objectOf)
  for (const card of cards) {
    const mac = String(objectOf(card.match).macaddress ?? '').toLowerCase()
    const via = Array.isArray(card.routes) ? objectOf(card.routes[0]).via : null
    guestNetwork.set(mac, {
      addresses: textsOf(card.addresses),
      gateway: typeof via === 'string' ? via : null,
    })
  }
  const dns = textsOf(objectOf(cards[0]?.nameservers).addresses)
  return {
    cloudInit: {
      hostname: meta['local-hostname'],
      ...(dns.length === 0 ? {} : { dns }),
      ...(fileOf('network-config') === undefined ? { network: false } : {}),
      'user-data': fileOf('user-data'),
    },
    guestNetwork,
  }
}
