import { z } from 'zod'
import { mirrorTargetPattern } from './mirror-schema.js'
import { dhcpSchema } from './network-schema.js'
import type { PathPart } from './problem.js'
import type { DhcpSpec } from './spec.js'
import {
  addressSchema,
  cpusSchema,
  macSchema,
  nameSchema,
  nodesSchema,
  pageSizeSchema,
  policySchema,
  sizeSchema,
} from './value-schemas.js'

/**
 * What can be read of a spec that may be wrong elsewhere, so that all its
 * problems are told at once. A value that is absent or wrong by itself is null.
 */
export interface LooseSpec {
  networks: LooseNetwork[]
  machines: LooseMachine[]
}

export interface Found<Value> {
  value: Value
  path: PathPart[]
}

export interface LooseNetwork {
  name: Found<string> | null
  link: boolean
  host: Found<unknown> | null
  addresses: Found<string>[]
  /** Wanted, and right by itself. */
  dhcp: Found<DhcpSpec> | null
  nat: Found<true> | null
}

export interface LooseMachine {
  name: Found<string> | null
  cpus: Found<number> | null
  memory: Found<number> | null
  hugepages: string
  pageBytes: number | null
  nodes: Found<'auto' | number[]> | null
  interfaces: LooseInterface[]
}

export interface LooseInterface {
  network: Found<string> | null
  mac: Found<string> | null
  /** What no interface of a link has. */
  apart: Found<string>[]
  /** What the guest gets as its own. */
  addresses: Found<string>[]
  gateway: Found<string> | null
  /** `to` of its mirror; null for a file. */
  mirror: Found<string | null> | null
}

export function readLoosely(value: unknown): LooseSpec {
  const networks = items(value, [], 'networks').map(looseNetwork)
  const defaultPolicy = read(value, [], 'hugepages', policySchema)?.value ?? 'preferred'
  const machines = items(value, [], 'machines').map((machine) => looseMachine(machine, defaultPolicy))
  return { networks, machines }
}

function looseNetwork({ value, path }: Found<unknown>): LooseNetwork {
  const host = member(value, 'host')
  const hostPath = [...path, 'host']
  const texts =
    typeof host === 'string' ? [{ value: host, path: hostPath }] : items(host, hostPath, 'addresses')
  return {
    name: read(value, path, 'name', nameSchema),
    link: member(value, 'link') === true,
    host: host === undefined ? null : { value: host, path: hostPath },
    addresses: texts.flatMap((text) => valid(text, addressSchema) ?? []),
    dhcp: looseDhcp(value, path),
    nat: member(value, 'nat') === true ? { value: true, path: [...path, 'nat'] } : null,
  }
}

function looseDhcp(network: unknown, path: PathPart[]): Found<DhcpSpec> | null {
  const found = read(network, path, 'dhcp', dhcpSchema)
  return found === null || found.value === null ? null : { value: found.value, path: found.path }
}

function looseMachine({ value, path }: Found<unknown>, defaultPolicy: string): LooseMachine {
  return {
    name: read(value, path, 'name', nameSchema),
    cpus: read(value, path, 'cpus', cpusSchema),
    memory: read(value, path, 'memory', sizeSchema),
    hugepages: read(value, path, 'hugepages', policySchema)?.value ?? defaultPolicy,
    pageBytes: read(value, path, 'hugepage-size', pageSizeSchema)?.value ?? null,
    nodes: read(value, path, 'node', nodesSchema),
    interfaces: items(value, path, 'interfaces').map(({ value: nic, path: nicPath }) =>
      typeof nic === 'string'
        ? {
            network: { value: nic, path: nicPath },
            mac: null,
            apart: [],
            addresses: [],
            gateway: null,
            mirror: null,
          }
        : {
            network: read(nic, nicPath, 'network', nameSchema),
            mac: read(nic, nicPath, 'mac', macSchema),
            apart: ['isolated', 'storm', 'vlan']
              .filter((key) => member(nic, key) !== undefined && member(nic, key) !== false)
              .map((key) => ({ value: key, path: [...nicPath, key] })),
            addresses: looseAddresses(nic, nicPath),
            gateway: read(nic, nicPath, 'gateway', z.string()),
            mirror: looseMirror(member(nic, 'mirror'), [...nicPath, 'mirror']),
          },
    ),
  }
}

function looseAddresses(nic: unknown, path: PathPart[]): Found<string>[] {
  const address = { value: member(nic, 'address'), path: [...path, 'address'] }
  const texts = typeof address.value === 'string' ? [address] : items(nic, path, 'address')
  return texts.flatMap((text) => valid(text, addressSchema) ?? [])
}

function looseMirror(mirror: unknown, path: PathPart[]): LooseInterface['mirror'] {
  const to = member(mirror, 'to')
  if (typeof to === 'string' && mirrorTargetPattern.test(to)) return { value: to, path: [...path, 'to'] }
  return member(mirror, 'file') === undefined ? null : { value: null, path }
}

function read<Schema extends z.ZodType>(
  owner: unknown,
  path: PathPart[],
  key: string,
  schema: Schema,
): Found<z.output<Schema>> | null {
  return valid({ value: member(owner, key), path: [...path, key] }, schema)
}

function valid<Schema extends z.ZodType>({ value, path }: Found<unknown>, schema: Schema) {
  const parsed = schema.safeParse(value)
  return parsed.success ? { value: parsed.data, path } : null
}

function items(owner: unknown, path: PathPart[], key: string): Found<unknown>[] {
  const list = member(owner, key)
  return Array.isArray(list)
    ? list.map((value: unknown, index) => ({ value, path: [...path, key, index] }))
    : []
}

function member(owner: unknown, key: string): unknown {
  if (typeof owner !== 'object' || owner === null || !Object.hasOwn(owner, key)) return undefined
  return (owner as Record<string, unknown>)[key]
}
