import { isUnicastIpv4 } from '../../core/spec/address.js'
import { macPattern } from '../../core/spec/mac.js'
import { readText } from '../../world/files.js'

/** An address that dnsmasq has lent. */
export interface Lease {
  mac: string
  address: string
  /** null: it has none. */
  name: string | null
  /** When it ends (ISO 8601); null: never. */
  until: string | null
}

/** dnsmasq's file of leases: "END MAC ADDRESS NAME CLIENT-ID" a line, the end in seconds since 1970. What is no such line is left out. */
export function parseLeases(text: string): Lease[] {
  return text.split('\n').flatMap((line): Lease[] => {
    const [end = '', mac = '', address = '', name = '*'] = line.split(' ')
    if (!/^\d{1,12}$/.test(end) || !macPattern.test(mac) || !isUnicastIpv4(address)) return []
    const until = end === '0' ? null : new Date(Number(end) * 1000).toISOString()
    return [{ mac: mac.toLowerCase(), address, name: /^[\w.-]{1,255}$/.test(name) ? name : null, until }]
  })
}

export async function readLeases(path: string): Promise<Lease[]> {
  return parseLeases((await readText(path)) ?? '')
}
