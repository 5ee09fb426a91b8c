import { VhostkitError } from '../errors.js'
import type { Artifacts, MachineArtifact } from '../render/artifacts.js'
import { portPrefix, tapPrefix } from '../spec/names.js'
import { pagesInBoth } from './count-pages.js'
import { isSeed, missingFiles } from './files.js'
import {
  type Changes,
  type DiffOptions,
  findChanges,
  findDefinitions,
  findReservations,
  folderOf,
} from './find-changes.js'
import { listSteps } from './list-steps.js'
import { liveMachine } from './live-machine.js'
import type { Live, Step } from './steps.js'

const nothing: Changes = {
  stopMachines: [],
  undefineDomains: [],
  removeFolders: [],
  deletePorts: [],
  setPolicies: [],
  deleteTaps: [],
  release: [],
  makeFolders: [],
  makeFiles: [],
  reserve: [],
  stopSwitch: false,
  startSwitch: false,
  createTaps: [],
  addPorts: [],
  stopDhcp: [],
  startDhcp: [],
  setNat: [],
  deleteNat: [],
  defineDomains: [],
  startMachines: [],
  removeFiles: [],
}

/** Starts machines, with all they need: pages, switch, taps and ports. Those that run already are left out. */
export function stepsToStart(wanted: Artifacts, live: Live, names: string[]): Step[] {
  const machines = findMachines(wanted, names)
  const all = findChanges(wanted, live, {})
  const startMachines = all.startMachines.filter((machine) => machines.includes(machine))
  const needed = new Set(startMachines.flatMap(({ ports }) => ports))
  const isNeeded = ({ kind, name }: Artifacts['ports'][number]) => kind === 'tap' || needed.has(name)
  const changes: Changes = {
    ...nothing,
    startMachines,
    makeFolders: startMachines.map(folderOf),
    makeFiles: missingFiles(startMachines, live),
    deletePorts: all.deletePorts.filter(
      (port) => isNeeded(port) && all.addPorts.some(({ name }) => name === port.name),
    ),
    deleteTaps: all.deleteTaps.filter((tap) => all.createTaps.some(({ ifname }) => ifname === tap.ifname)),
    reserve: findReservations(startMachines, [], live),
    startSwitch: all.startSwitch,
    createTaps: all.createTaps,
    stopDhcp: all.stopDhcp.filter(({ remove }) => !remove),
    startDhcp: all.startDhcp,
    setNat: all.setNat,
    addPorts: all.addPorts.filter(isNeeded),
    defineDomains: findDefinitions(startMachines, live),
  }
  return startMachines.length === 0 ? [] : listSteps(changes, wanted, live)
}

/** Stops machines and gives back the hugepages reserved for them. Their ports stay, so that they can come back. */
export function stepsToStop(wanted: Artifacts, live: Live, names: string[]): Step[] {
  const stopped = findMachines(wanted, names)
  const stopMachines = runningMachines(wanted, live, {}).filter(({ name }) =>
    stopped.some((machine) => machine.name === name),
  )
  const release = pagesInBoth(
    live.reserved,
    stopMachines.flatMap(({ hugepages }) => hugepages),
  )
  return listSteps({ ...nothing, stopMachines, release }, wanted, live)
}

export interface DestroyOptions {
  /** What was applied before. */
  applied?: Artifacts | null | undefined
  /** Leave the switch: others use it. A port of another deployment in `live` has the same effect. */
  keepSwitch?: boolean | undefined
  /** Also disks and firmware variables, with what the guests wrote. */
  disks?: boolean | undefined
}

/** Takes down everything of the deployment, whatever of it exists. */
export function stepsToDestroy(wanted: Artifacts, live: Live, options: DestroyOptions = {}): Step[] {
  const ports = live.ports.filter(({ name }) => name.startsWith(portPrefix(wanted.deployment)))
  const ownSwitch = ports.length === live.ports.length && options.keepSwitch !== true
  const known = live.machines.flatMap((machine) => liveMachine(machine, wanted, options))
  const changes: Changes = {
    ...nothing,
    stopMachines: runningMachines(wanted, live, options),
    undefineDomains: live.machines.flatMap((machine) => {
      const xml = machine.domain?.xml ?? null
      if (xml === null) return []
      return liveMachine(machine, wanted, options).map((found) => ({ machine: found, xml }))
    }),
    removeFolders: [...new Set([...wanted.machines, ...known].map(({ folder }) => folder))],
    deletePorts: ports,
    deleteTaps: live.taps.filter(({ ifname }) => ifname.startsWith(tapPrefix(wanted.deployment))),
    stopDhcp: live.dhcp.map(({ dhcp }) => ({ dhcp, remove: true })),
    deleteNat: live.nat.map(({ nat }) => nat),
    release: live.reserved,
    stopSwitch: live.switch !== null && !live.switch.service && ownSwitch,
    removeFiles: live.files.filter((path) => options.disks === true || isSeed(path)),
  }
  return listSteps(changes, wanted, live)
}

function runningMachines(wanted: Artifacts, live: Live, options: DiffOptions): MachineArtifact[] {
  return live.machines
    .filter(({ running }) => running)
    .flatMap((machine) => liveMachine(machine, wanted, options))
}

function findMachines({ deployment, machines }: Artifacts, names: string[]): MachineArtifact[] {
  return names.map((name) => {
    const machine = machines.find((other) => other.name === name)
    if (machine !== undefined) return machine
    throw new VhostkitError('not-found', {
      sentence: `${deployment} has no machine ${name}.`,
      hint: `Its machines: ${machines.map((other) => other.name).join(', ')}.`,
    })
  })
}
