import { z } from 'zod'
import { isUnicastIpv4 } from './address.js'
import { expecting, list, mapping, text, wholeNumber, yesOrNo } from './shape.js'
import type { DhcpSpec, NetworkSpec } from './spec.js'
import { addressSchema, addressText, nameSchema } from './value-schemas.js'

/** The shape of a network: its host addresses, and what the host does for the guests on it. */
const hostSchema = z.preprocess(
  (value) => (typeof value === 'string' ? { addresses: [value] } : value),
  mapping(
    { addresses: list(addressSchema, 'addresses', 1, 16) },
    `${addressText}, or a mapping with addresses`,
  ),
)

const rangeText = 'two IPv4 addresses with "-" between them, such as 192.168.77.100-192.168.77.199'
const rangeSchema = text(/^[0-9.]{7,15}-[0-9.]{7,15}$/, rangeText).refine(
  (range) => range.split('-').every(isUnicastIpv4),
  expecting(rangeText),
)

/** dnsmasq takes nothing shorter than two minutes. */
const leasesText = 'a time such as 30m, 12h or 7d, 2m to 365d, or infinite'
const leasesSchema = text(/^(infinite|[1-9][0-9]{0,5}[mhd])$/, leasesText)
  .transform(parseTime)
  .refine((seconds) => seconds === null || (seconds >= 120 && seconds <= 365 * 86_400), expecting(leasesText))

const dnsText = expecting('true, false, or a list of 1 to 3 IPv4 addresses of name servers')
const dnsServer = z.string(dnsText).refine(isUnicastIpv4, dnsText)
const dnsSchema = z.union(
  [z.boolean(dnsText), z.array(dnsServer, dnsText).min(1, dnsText).max(3, dnsText)],
  dnsText,
)

export const domainPattern =
  /^(?=.{1,200}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/
const domainSchema = text(domainPattern, 'a domain name in lower case, such as lab.internal')

const dhcpText = 'true, false, or a mapping with range, leases, dns, domain'
export const dhcpSchema = z
  .preprocess(
    (value) => (value === true ? {} : value === false ? undefined : value),
    mapping(
      {
        range: rangeSchema.optional(),
        leases: leasesSchema.prefault('1h'),
        dns: dnsSchema.default(true),
        domain: domainSchema.default('internal'),
      },
      dhcpText,
    ).optional(),
  )
  .transform((dhcp): DhcpSpec | null => {
    if (dhcp === undefined) return null
    const { range, leases, dns, domain } = dhcp
    const [first = '', last = ''] = range?.split('-') ?? []
    return {
      range: range === undefined ? null : { first, last },
      leaseSeconds: leases,
      dns: dns === true ? 'host' : dns === false ? null : dns,
      domain,
    }
  })

export const networkSchema = mapping({
  name: nameSchema,
  mtu: wholeNumber(68, 9216).default(1500),
  link: yesOrNo.default(false),
  host: hostSchema.optional(),
  dhcp: dhcpSchema,
  nat: yesOrNo.default(false),
}).transform(({ host, ...rest }): NetworkSpec => ({ ...rest, hostAddresses: host?.addresses ?? [] }))

/** Seconds; null for ever. */
function parseTime(time: string): number | null {
  const unit = { m: 60, h: 3600, d: 86_400 }[time.slice(-1)]
  return unit === undefined ? null : Number.parseInt(time, 10) * unit
}
