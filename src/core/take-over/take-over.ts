import type { ImageFact } from '../facts/facts.js'
import type { XmlElement } from '../xml/xml.js'
import type { AppliedSpec } from './applied-spec.js'
import { gatherNetworks } from './gather-networks.js'
import { leaveRest } from './leave-rest.js'
import { type OwnMark, readMark } from './own-mark.js'
import { plainName } from './plain-name.js'
import { refuseTakeOver } from './refuse-take-over.js'
import { takeBoot } from './take-boot.js'
import { takeDisks } from './take-disks.js'
import { takeInterfaces } from './take-interfaces.js'
import { takeMemory } from './take-memory.js'

/** What of a host the definitions do not say themselves. */
export interface TakeOverSights {
  /** Images that the definitions name, as far as they are there. */
  images: ImageFact[]
  /** The host's own addresses, by network; of deployments of ours only. */
  hostAddresses: { network: string; addresses: string[] }[]
  /** What else the host and the switch do for them. */
  applied: AppliedSpec
  /** Seeds of ours by their path: what is on them. */
  seeds: { path: string; files: { name: string; text: string }[] }[]
  /** Written down when it is not the usual one. */
  connect: string | null
}

/** Something of a domain that the spec does not have. */
export interface Left {
  domain: string
  what: string
  why: string
}

/** A spec as it is written, and what is not in it. */
export interface TakenOver {
  /** Of the deployment. */
  name: string
  /** As libvirt calls them. */
  domains: string[]
  spec: Record<string, unknown>
  left: Left[]
  /** The domains are none of ours: what is applied stands beside them. */
  foreign: boolean
}

/** What one domain is read into, and where it leaves what it cannot take. */
export interface Taking {
  domain: XmlElement
  mark: OwnMark | null
  sights: TakeOverSights
  /** Names of all that are taken over together. */
  machines: string[]
  leave(what: string, why: string): void
}

/** The spec of domains as libvirt has them: one of anybody's, or all of a deployment of ours. */
export function takeOver(domains: XmlElement[], sights: TakeOverSights): TakenOver {
  const refusals = domains.flatMap(refuseTakeOver)
  if (refusals.length > 0) throw refusals[0]
  const left: Left[] = []
  const names = domains.map((domain) => readMark(domain)?.machine ?? plainName(domain).name)
  const taken = domains.map((domain) => takeMachine(domain, sights, names, left))
  const [first] = taken
  const name = first?.mark?.deployment ?? String(first?.machine.name ?? '')
  const machines = taken.map(({ machine }) => machine)
  const networks = gatherNetworks(
    taken.flatMap(({ networks }) => networks),
    sights,
  )
  return {
    name,
    domains: domains.map((domain) => plainName(domain).domain),
    spec: {
      version: 1,
      name,
      driver: 'libvirt',
      ...(sights.connect === null ? {} : { connect: sights.connect }),
      ...(sights.applied.switch === undefined ? {} : { switch: sights.applied.switch }),
      ...(networks.length === 0 ? {} : { networks }),
      machines,
    },
    left,
    foreign: first?.mark?.deployment == null,
  }
}

function takeMachine(domain: XmlElement, sights: TakeOverSights, machines: string[], left: Left[]) {
  const mark = readMark(domain)
  const called = plainName(domain)
  const leave = (what: string, why: string) => void left.push({ domain: called.domain, what, why })
  const taking: Taking = { domain, mark, sights, machines, leave }
  const name = mark?.machine ?? called.name
  if (mark?.machine == null && called.name !== called.domain)
    leave(
      `the name ${JSON.stringify(called.domain)}`,
      `Names of machines are plainer: it is called ${called.name}.`,
    )
  const memory = takeMemory(taking)
  const disks = takeDisks(taking)
  const { interfaces, networks } = takeInterfaces(taking, disks.guestNetwork)
  const machine = {
    name,
    ...memory,
    ...takeBoot(taking, disks.disks),
    ...(disks.disks.length === 0 ? {} : { disks: disks.disks }),
    ...(disks.cloudInit === null ? {} : { 'cloud-init': disks.cloudInit }),
    ...(interfaces.length === 0 ? {} : { interfaces }),
  }
  leaveRest(taking)
  return { mark, machine, networks }
}
