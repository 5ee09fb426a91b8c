import { z } from 'zod'
import { bootSchema } from './boot-schema.js'
import { cloudInitSchema } from './cloud-init-schema.js'
import { diskSchema } from './disk-schema.js'
import { interfaceSchema } from './interface-schema.js'
import { networkSchema } from './network-schema.js'
import { expecting, list, mapping } from './shape.js'
import { mib } from './size.js'
import type { MachineSpec, Spec } from './spec.js'
import { switchSchema } from './switch-schema.js'
import {
  cpusSchema,
  nameSchema,
  nodesSchema,
  pageSizeSchema,
  policySchema,
  sizeSchema,
} from './value-schemas.js'

/** The shape of a spec. What concerns several values is in cross-check.ts. */
const firmwareSchema = z.enum(['bios', 'uefi'], expecting('bios or uefi'))

const machineSchema = mapping({
  name: nameSchema,
  cpus: cpusSchema.default(1),
  memory: sizeSchema.default(512 * mib),
  hugepages: policySchema.optional(),
  'hugepage-size': pageSizeSchema.optional(),
  node: nodesSchema.default('auto'),
  boot: bootSchema.optional(),
  firmware: firmwareSchema.optional(),
  disks: list(diskSchema, 'disks', 0, 16).default([]),
  'cloud-init': cloudInitSchema.optional(),
  interfaces: list(interfaceSchema, 'interfaces', 0, 16).default([]),
})

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
  firmware: firmwareSchema.default('bios'),
  'cloud-init': cloudInitSchema.optional(),
  networks: list(networkSchema, 'networks', 0, 256).default([]),
  machines: list(machineSchema, 'machines', 1, 1024),
  switch: switchSchema.default({ cores: 'auto', spareCores: 'auto', idle: 'adaptive', user: null }),
}).transform(({ hugepages, boot, firmware, 'cloud-init': cloudInit, machines, connect, ...rest }): Spec => {
  const withDefaults = (machine: z.output<typeof machineSchema>): MachineSpec => ({
    name: machine.name,
    cpus: machine.cpus,
    memoryBytes: machine.memory,
    hugepages: machine.hugepages ?? hugepages,
    hugepageBytes: machine['hugepage-size'] ?? null,
    nodes: machine.node,
    boot: machine.boot ?? boot ?? null,
    firmware: machine.firmware ?? firmware,
    disks: machine.disks,
    cloudInit: machine['cloud-init'] ?? cloudInit ?? null,
    interfaces: machine.interfaces,
  })
  return { ...rest, connect: connect ?? null, machines: machines.map(withDefaults) }
})
