import { z } from 'zod'
import { isUnicastIpv4 } from './address.js'
import { macPattern } from './mac.js'
import { mirrorSchema } from './mirror-schema.js'
import { namePattern } from './names.js'
import { gib, mib, parseSize, sizePattern } from './size.js'
import type { BootSpec, InterfaceSpec, MachineSpec, NetworkSpec, Spec, SwitchSpec } from './spec.js'
import { vlanSchema } from './vlan-schema.js'

/**
 * The shape of a spec. Each message is the "expected" part of a problem, so it
 * reads on after that word. What concerns several values is in cross-check.ts.
 */
const expecting = (error: string) => ({ error })

const wholeNumber = (least: number, most: number) => {
  const range = expecting(`a whole number, ${least} to ${most}`)
  return z.int(range).min(least, range).max(most, range)
}

/** A mapping without other keys than these; `what` when something shorter may stand in its place. */
const mapping = <Shape extends z.core.$ZodLooseShape>(shape: Shape, what?: string) => {
  const keys = Object.keys(shape).join(', ')
  const error = (issue: { code?: string | undefined }) =>
    issue.code === 'unrecognized_keys' ? `one of ${keys}` : (what ?? `a mapping with ${keys}`)
  return z.strictObject(shape, { error })
}

const list = <Item extends z.ZodType>(item: Item, what: string, least: number, most: number) => {
  const range = expecting(`a list of ${least === 0 ? 'at most' : `${least} to`} ${most} ${what}`)
  return z.array(item, range).min(least, range).max(most, range)
}

const nameText = expecting('a name of letters, digits, "_", "." and "-", at most 63, letter or digit first')
export const nameSchema = z.string(nameText).regex(namePattern, nameText)

const sizeText = expecting('a size such as 256M or 2G, 16M to 16T')
export const sizeSchema = z
  .union([z.string().regex(sizePattern, sizeText), z.int(sizeText)], sizeText)
  .transform((size) => parseSize(String(size)) ?? 0)
  .refine((bytes) => bytes >= 16 * mib && bytes <= 16 * 1024 * gib, sizeText)

export const macSchema = z
  .string(expecting('a MAC address such as 52:54:00:12:34:56'))
  .regex(macPattern, expecting('a MAC address such as 52:54:00:12:34:56'))
  .transform((mac) => mac.toLowerCase())

export const cpusSchema = wholeNumber(1, 256)
export const policySchema = z.enum(['preferred', 'required', 'off'], expecting('preferred, required or off'))
export const pageSizeSchema = z
  .enum(['2M', '1G'], expecting('2M or 1G'))
  .transform((size) => (size === '2M' ? 2 * mib : gib))

const nodeText = expecting('auto, the number of a host node, or a list of them')
const nodeNumber = z.int(nodeText).min(0, nodeText).max(1023, nodeText)
export const nodesSchema = z
  .union([z.literal('auto'), nodeNumber, z.array(nodeNumber).min(1, nodeText).max(16, nodeText)], nodeText)
  .transform((node) => (typeof node === 'number' ? [node] : node))

const pathText = expecting('an absolute path')
const pathSchema = z.string(pathText).regex(/^\/[^\0\r\n]*$/, pathText)
const cmdlineText = expecting('a kernel command line: one line of at most 2047 characters')

const bootSchema = mapping({
  kernel: pathSchema,
  initrd: pathSchema.default(''),
  cmdline: z
    .string(cmdlineText)
    .regex(/^[^\0\r\n]{0,2047}$/, cmdlineText)
    .default('console=ttyS0'),
}).transform((boot): BootSpec => boot)

export const queuesSchema = wholeNumber(1, 64)
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

export const interfaceSchema = z
  .preprocess(
    (value) => (typeof value === 'string' ? { network: value } : value),
    mapping(
      {
        network: nameSchema,
        mac: macSchema.optional(),
        queues: queuesSchema.optional(),
        carrier: carrierSchema,
        isolated: z.boolean(expecting('true or false')).default(false),
        storm: wholeNumber(1, 10_000_000).optional(),
        vlan: vlanSchema.optional(),
        bandwidth: bandwidthSchema.optional(),
        mirror: mirrorSchema.optional(),
        antispoof: antispoofSchema,
      },
      'the name of a network, or a mapping with network, mac, queues, carrier, isolated, storm, vlan, bandwidth, mirror, antispoof',
    ),
  )
  .transform(
    ({ mac, queues, storm, vlan, bandwidth, mirror, ...rest }): InterfaceSpec => ({
      ...rest,
      mac: mac ?? null,
      queues: queues ?? null,
      storm: storm ?? null,
      vlan: vlan ?? null,
      inbound: bandwidth?.inbound ?? null,
      outbound: bandwidth?.outbound ?? null,
      mirror: mirror ?? null,
    }),
  )

const addressText = expecting('an address with its prefix length, such as 192.168.77.1/24')
export const addressSchema = z.string(addressText).regex(/^[0-9A-Fa-f:.]+\/[0-9]{1,3}$/, addressText)

const hostSchema = z.preprocess(
  (value) => (typeof value === 'string' ? { addresses: [value] } : value),
  mapping(
    { addresses: list(addressSchema, 'addresses', 1, 16) },
    `${addressText.error}, or a mapping with addresses`,
  ),
)

const networkSchema = mapping({
  name: nameSchema,
  mtu: wholeNumber(68, 9216).default(1500),
  link: z.boolean(expecting('true or false')).default(false),
  host: hostSchema.optional(),
}).transform(
  ({ name, mtu, link, host }): NetworkSpec => ({ name, mtu, link, hostAddresses: host?.addresses ?? [] }),
)

const machineSchema = mapping({
  name: nameSchema,
  cpus: cpusSchema.default(1),
  memory: sizeSchema.default(512 * mib),
  hugepages: policySchema.optional(),
  'hugepage-size': pageSizeSchema.optional(),
  node: nodesSchema.default('auto'),
  boot: bootSchema.optional(),
  interfaces: list(interfaceSchema, 'interfaces', 0, 16).default([]),
})

const coresText = expecting('auto or a list of CPU numbers, each once')
const coreNumber = z.int(coresText).min(0, coresText).max(65535, coresText)
const spareText = expecting(
  'auto or a list of CPU numbers, each once and not in cores; with those, 63 at most',
)
const spareNumber = z.int(spareText).min(0, spareText).max(65535, spareText)
const switchSchema = mapping({
  cores: z
    .union([z.literal('auto'), z.array(coreNumber).min(1, coresText).max(64, coresText)], coresText)
    .refine((cores) => cores === 'auto' || new Set(cores).size === cores.length, coresText)
    .default('auto'),
  'spare-cores': z
    .union([z.literal('auto'), z.array(spareNumber).max(63, spareText)], spareText)
    .default('auto'),
  idle: z.enum(['adaptive', 'poll'], expecting('adaptive or poll')).default('adaptive'),
})
  .refine(({ cores, 'spare-cores': spare }) => areCoresApart(cores, spare), {
    ...spareText,
    path: ['spare-cores'],
  })
  .transform(({ cores, idle, 'spare-cores': spareCores }): SwitchSpec => ({ cores, spareCores, idle }))

/** A core has one worker, and a switch at most so many workers as it can number. */
function areCoresApart(cores: 'auto' | number[], spare: 'auto' | number[]): boolean {
  if (spare === 'auto' || spare.length === 0) return true
  const all = [...(cores === 'auto' ? [] : cores), ...spare]
  return all.length <= 63 && new Set(all).size === all.length
}

/** The sockets between QEMU and the switch are on this host, so a libvirt elsewhere cannot be used. */
const connectText = expecting("the URI of this host's libvirt, such as qemu:///system or qemu:///session")
export const connectSchema = z
  .string(connectText)
  .regex(/^qemu(\+unix)?:\/\/\/(system|session)(\?[\w=&%./+-]{1,300})?$/, connectText)
export const driverSchema = z.enum(['qemu', 'libvirt'], expecting('qemu or libvirt'))

export const specSchema = mapping({
  version: z.literal(1, expecting('1')),
  name: nameSchema,
  driver: driverSchema.default('qemu'),
  connect: connectSchema.optional(),
  hugepages: policySchema.default('preferred'),
  boot: bootSchema.optional(),
  networks: list(networkSchema, 'networks', 0, 256).default([]),
  machines: list(machineSchema, 'machines', 1, 1024),
  switch: switchSchema.default({ cores: 'auto', spareCores: 'auto', idle: 'adaptive' }),
}).transform(({ hugepages, boot, machines, connect, ...rest }): Spec => {
  const withDefaults = (machine: z.output<typeof machineSchema>): MachineSpec => ({
    name: machine.name,
    cpus: machine.cpus,
    memoryBytes: machine.memory,
    hugepages: machine.hugepages ?? hugepages,
    hugepageBytes: machine['hugepage-size'] ?? null,
    nodes: machine.node,
    boot: machine.boot ?? boot ?? null,
    interfaces: machine.interfaces,
  })
  return { ...rest, connect: connect ?? null, machines: machines.map(withDefaults) }
})
