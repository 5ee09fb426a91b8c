import type { HugepageNeed } from '../plan/plan.js'
import type {
  Artifacts,
  FileArtifact,
  MachineArtifact,
  PortRequest,
  TapArtifact,
} from '../render/artifacts.js'
import { portPrefix, tapPrefix } from '../spec/names.js'
import { addPages, pagesBeyond } from './count-pages.js'
import { missingFiles, staleSeeds } from './files.js'
import { findNetworkChanges, type NetworkChanges } from './find-network-changes.js'
import { liveMachine } from './live-machine.js'
import { sameDomain, sameMachine, sameTap } from './same.js'
import { type PolicyChange, samePort, samePortButPolicy } from './same-port.js'
import type { Live } from './steps.js'
import { switchDifference } from './switch-difference.js'

export interface DiffOptions {
  /** Restart what runs with another command line than wanted; without it, only `notices` tells. */
  restart?: boolean | undefined
  /** What was applied before: says how machines that are no longer wanted are stopped. */
  applied?: Artifacts | null | undefined
}

/** What must change, sorted by kind; `listSteps` puts it into an order. */
export interface Changes extends NetworkChanges {
  stopMachines: MachineArtifact[]
  undefineDomains: { machine: MachineArtifact; xml: string }[]
  removeFolders: string[]
  deletePorts: PortRequest[]
  setPolicies: PolicyChange[]
  deleteTaps: TapArtifact[]
  release: HugepageNeed[]
  reserve: { need: HugepageNeed; atLeast: number }[]
  makeFolders: { path: string; uid: number | null }[]
  makeFiles: { file: FileArtifact; uid: number | null }[]
  stopSwitch: boolean
  startSwitch: boolean
  createTaps: TapArtifact[]
  addPorts: PortRequest[]
  defineDomains: { machine: MachineArtifact; before: string | null }[]
  startMachines: MachineArtifact[]
  removeFiles: string[]
}

/** Compares what is wanted with what exists. Only what belongs to the deployment is ever removed. */
export function findChanges(wanted: Artifacts, live: Live, options: DiffOptions): Changes {
  const restart = options.restart ?? false
  const changed = changedMachines(wanted, live)
  const restarting = restart ? changed : []
  const stopMachines = [
    ...staleMachines(wanted, live).flatMap((machine) =>
      machine.running ? liveMachine(machine, wanted, options) : [],
    ),
    ...live.machines
      .filter(({ name }) => restarting.some((machine) => machine.name === name))
      .flatMap((machine) => liveMachine(machine, wanted, options)),
  ]
  const startMachines = wanted.machines.filter(
    (machine) =>
      restarting.includes(machine) ||
      !live.machines.some(({ name, running }) => running && name === machine.name),
  )
  const held = new Set(restart ? [] : changed.flatMap(({ ports }) => ports))
  const taps = changedTaps(wanted, live)
  const newTaps = new Set(taps.create.map(({ ifname }) => ifname))
  const ports = changedPorts(wanted, live, newTaps, held)
  const stopSwitch = restart && switchDifference(wanted.switch.argv, live.switch?.argv ?? null) !== null
  return {
    stopMachines,
    removeFolders: staleMachines(wanted, live).flatMap((machine) =>
      liveMachine(machine, wanted, options).map(({ folder }) => folder),
    ),
    deletePorts: ports.remove,
    setPolicies: ports.change,
    deleteTaps: taps.remove,
    ...findNetworkChanges(wanted, live, newTaps),
    release: pagesBeyond(live.reserved, neededPages(wanted, live, options, restart ? [] : changed)),
    // A machine that restarts has its folder, and an undo must not take it away.
    makeFolders: startMachines.filter((machine) => !restarting.includes(machine)).map(folderOf),
    makeFiles: missingFiles(startMachines, live),
    removeFiles: staleSeeds(wanted, live, restart ? [] : changed),
    reserve: findReservations(startMachines, stopMachines, live),
    stopSwitch,
    startSwitch: live.switch === null || stopSwitch,
    createTaps: taps.create,
    addPorts: ports.add,
    startMachines,
    defineDomains: findDefinitions(startMachines, live),
    undefineDomains: findUndefinitions(wanted, live, options, stopMachines),
  }
}

export function folderOf({ folder, domain }: MachineArtifact): { path: string; uid: number | null } {
  return { path: folder, uid: domain?.uid ?? null }
}

/** Of machines to start: those that libvirt does not know, or knows otherwise. */
export function findDefinitions(start: MachineArtifact[], live: Live): Changes['defineDomains'] {
  return start.flatMap((machine) => {
    if (machine.domain === undefined) return []
    const before = live.machines.find(({ name }) => name === machine.name)?.domain?.xml ?? null
    return sameDomain(machine.domain, before) ? [] : [{ machine, before }]
  })
}

/** Domains of machines that are no longer wanted, or wanted without libvirt. */
function findUndefinitions(
  wanted: Artifacts,
  live: Live,
  options: DiffOptions,
  stop: MachineArtifact[],
): Changes['undefineDomains'] {
  return live.machines.flatMap((machine) => {
    const xml = machine.domain?.xml ?? null
    const stays = wanted.machines.some(({ name, domain }) => name === machine.name && domain !== undefined)
    const ends = !machine.running || stop.some(({ name }) => name === machine.name)
    if (xml === null || stays || !ends) return []
    return liveMachine(machine, wanted, options).map((known) => ({ machine: known, xml }))
  })
}

/** Pages of all machines; those left running with another command line hold what they were started with. */
function neededPages(
  wanted: Artifacts,
  live: Live,
  options: DiffOptions,
  left: MachineArtifact[],
): HugepageNeed[] {
  return wanted.machines.flatMap((machine) => {
    const running = left.includes(machine) && live.machines.find(({ name }) => name === machine.name)
    const [now] = running ? liveMachine(running, wanted, options) : [machine]
    return now?.hugepages ?? []
  })
}

/** Machines that run with another command line than wanted. */
export function changedMachines(wanted: Artifacts, live: Live): MachineArtifact[] {
  return wanted.machines.filter((machine) =>
    live.machines.some(
      (running) => running.running && running.name === machine.name && !sameMachine(machine, running),
    ),
  )
}

function staleMachines(wanted: Artifacts, live: Live): Live['machines'] {
  return live.machines.filter(({ name }) => !wanted.machines.some((machine) => machine.name === name))
}

function changedTaps(wanted: Artifacts, live: Live): { remove: TapArtifact[]; create: TapArtifact[] } {
  const prefix = tapPrefix(wanted.deployment)
  const own = live.taps.filter(({ ifname }) => ifname.startsWith(prefix))
  return {
    remove: own.filter((tap) => !wanted.taps.some((other) => sameTap(tap, other))),
    create: wanted.taps.filter((tap) => !own.some((other) => sameTap(tap, other))),
  }
}

/** A port is set up anew too when its tap is: the switch holds on to the old one. */
function changedPorts(wanted: Artifacts, live: Live, newTaps: Set<string>, held: Set<string>) {
  const prefix = portPrefix(wanted.deployment)
  const own = live.ports.filter(({ name }) => name.startsWith(prefix) && !held.has(name))
  const stays = (port: PortRequest, others: PortRequest[]) =>
    others.some((other) => samePort(port, other)) && !(port.kind === 'tap' && newTaps.has(port.ifname))
  const free = wanted.ports.filter(
    ({ name }) => !held.has(name) || !live.ports.some((port) => port.name === name),
  )
  const change = live.switch === null ? [] : findPolicies(free, own)
  const changes = ({ name }: PortRequest) => change.some(({ port }) => port.name === name)
  return {
    change,
    remove: own.filter((port) => !stays(port, wanted.ports) && !changes(port)),
    add: free.filter((port) => !stays(port, own) && !changes(port)),
  }
}

function findPolicies(wanted: PortRequest[], own: PortRequest[]): PolicyChange[] {
  return wanted.flatMap((port) => {
    const before = own.find(({ name }) => name === port.name)
    if (before === undefined || samePort(port, before) || !samePortButPolicy(port, before)) return []
    return [{ before, port }]
  })
}

/** Pages missing for the machines to start, beside those free now or given back by the ones stopped first. */
export function findReservations(
  start: MachineArtifact[],
  stop: MachineArtifact[],
  live: Live,
): Changes['reserve'] {
  const needs = addPages(start.flatMap(({ hugepages }) => hugepages))
  const there = addPages([
    ...live.hugepages.map(({ node, pageBytes, free }) => ({ node, pageBytes, pages: free })),
    ...stop.flatMap(({ hugepages }) => hugepages),
  ])
  return pagesBeyond(needs, there).map((need) => {
    const whole = needs.find(({ node, pageBytes }) => node === need.node && pageBytes === need.pageBytes)
    return { need, atLeast: whole?.pages ?? need.pages }
  })
}
