import { z } from 'zod'
import { isUnicastIpv4 } from './address.js'
import { mirrorSchema } from './mirror-schema.js'
import { expecting, mapping, text, wholeNumber, yesOrNo } from './shape.js'
import type { InterfaceSpec } from './spec.js'
import { addressSchema, addressText, macSchema, nameSchema, queuesSchema } from './value-schemas.js'
import { vlanSchema } from './vlan-schema.js'

/** The shape of a machine's interface. */
const carrierSchema = z.enum(['steady', 'follow'], expecting('steady or follow')).default('steady')

const antispoofText = expecting('true, false, or a list of 1 to 16 IPv4 addresses of the guest, each once')
const ownAddress = z.string(antispoofText).refine(isUnicastIpv4, antispoofText)
const ownAddresses = z
  .array(ownAddress, antispoofText)
  .min(1, antispoofText)
  .max(16, antispoofText)
  .refine((list) => new Set(list).size === list.length, antispoofText)
const antispoofSchema = z
  .union([z.boolean(antispoofText), ownAddresses], antispoofText)
  .default(false)
  .transform((wanted) => (wanted === true ? [] : wanted === false ? null : wanted))

const bandwidthText = expecting(
  'average (and maybe peak, at least that) in kilobytes a second, burst in KiB, or packets a second',
)
const kilobytes = (most: number) => z.int(bandwidthText).min(1, bandwidthText).max(most, bandwidthText)
const limitSchema = z
  .strictObject(
    {
      average: kilobytes(12_500_000).optional(),
      peak: kilobytes(12_500_000).optional(),
      burst: kilobytes(1_048_576).optional(),
      packets: kilobytes(100_000_000).optional(),
    },
    bandwidthText,
  )
  .refine(
    ({ average, peak, burst, packets }) =>
      average === undefined
        ? packets !== undefined && peak === undefined && burst === undefined
        : peak === undefined || peak >= average,
    bandwidthText,
  )
const bandwidthSchema = mapping({ inbound: limitSchema.optional(), outbound: limitSchema.optional() })

const guestAddressText = expecting(`${addressText}, or a list of 1 to 16 of them`)
const addressesSchema = z
  .preprocess(
    (value) => (typeof value === 'string' ? [value] : value),
    z.array(addressSchema, guestAddressText).min(1, guestAddressText).max(16, guestAddressText),
  )
  .default([])
const gatewaySchema = text(/^[0-9A-Fa-f:.]{2,45}$/, 'the IP address of a router')

export const interfaceSchema = z
  .preprocess(
    (value) => (typeof value === 'string' ? { network: value } : value),
    mapping(
      {
        network: nameSchema,
        mac: macSchema.optional(),
        queues: queuesSchema.optional(),
        carrier: carrierSchema,
        isolated: yesOrNo.default(false),
        storm: wholeNumber(1, 10_000_000).optional(),
        vlan: vlanSchema.optional(),
        bandwidth: bandwidthSchema.optional(),
        mirror: mirrorSchema.optional(),
        antispoof: antispoofSchema,
        address: addressesSchema,
        gateway: gatewaySchema.optional(),
      },
      'the name of a network, or a mapping with network, mac, queues, carrier, isolated, storm, vlan, bandwidth, mirror, antispoof, address, gateway',
    ),
  )
  .transform(
    ({ mac, queues, storm, vlan, bandwidth, mirror, address, gateway, ...rest }): InterfaceSpec => ({
      ...rest,
      mac: mac ?? null,
      queues: queues ?? null,
      storm: storm ?? null,
      vlan: vlan ?? null,
      inbound: bandwidth?.inbound ?? null,
      outbound: bandwidth?.outbound ?? null,
      mirror: mirror ?? null,
      addresses: address,
      gateway: gateway ?? null,
    }),
  )
