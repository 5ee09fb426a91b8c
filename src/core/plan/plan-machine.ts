import type { Facts } from '../facts/facts.js'
import { machineFolder, machineOwner, machineUuid } from '../spec/names.js'
import type { BootSpec, MachineSpec, Spec } from '../spec/spec.js'
import type { Notes } from './notes.js'
import type { DomainPlan, Folders, MachinePlan, MemoryPlan, Plan } from './plan.js'
import { planBoot } from './plan-boot.js'
import { planInterfaces } from './plan-interfaces.js'
import { planStorage } from './plan-storage.js'
import { refuseManyDevices } from './refuse-many-devices.js'

/** What has been decided for the deployment before its machines are put together. */
export interface MachineSurroundings {
  spec: Spec
  facts: Facts
  folders: Folders
  accel: Plan['accel']
  switchCores: number[]
  defaultBoot: BootSpec | null
  takenMacs: Set<string>
}

export function planMachine(
  machine: MachineSpec,
  memory: MemoryPlan,
  around: MachineSurroundings,
  notes: Notes,
): MachinePlan {
  const { spec, facts, folders, accel } = around
  const folder = machineFolder(folders.run, spec.name, machine.name)
  const interfaces = planInterfaces(spec, machine, folder, accel, around.takenMacs, notes)
  const storage = planStorage(machine, interfaces, around, notes)
  const plan: MachinePlan = {
    name: machine.name,
    uuid: machineUuid(spec.name, machine.name),
    cpus: machine.cpus,
    memory,
    interfaces,
    boot: planBoot(machine, around, notes),
    ...(storage === null ? {} : { storage }),
    hostCpus: planHostCpus(facts, memory, around.switchCores),
    ...(spec.driver === 'libvirt'
      ? { domain: planDomain(spec, machine, facts, memory, around.switchCores) }
      : {}),
    folder,
    qmpSocket: `${folder}/qmp.sock`,
    consoleSocket: `${folder}/console.sock`,
    consoleLog: `${folder}/console.log`,
    agentSocket: `${folder}/agent.sock`,
    pidFile: `${folder}/qemu.pid`,
    log: `${folder}/qemu.log`,
  }
  refuseLongSockets(plan, spec, machine, notes)
  refuseManyDevices(machine, around, notes)
  return plan
}

/** CPUs of the nodes the memory is on, without the switch's; any CPU when that leaves none. */
function planHostCpus({ nodes }: Facts, memory: MemoryPlan, switchCores: number[]): number[] {
  const own = nodes.filter(({ id }) => memory.cells.some(({ hostNode }) => hostNode === id))
  return own.flatMap(({ cpus }) => cpus).filter((cpu) => !switchCores.includes(cpu))
}

/** libvirt pins each vCPU: to the CPUs of the node that its guest node is bound to. */
function planDomain(
  spec: Spec,
  machine: MachineSpec,
  facts: Facts,
  memory: MemoryPlan,
  switchCores: number[],
): DomainPlan {
  const cellCpus = memory.cells.map((cell) => planHostCpus(facts, { ...memory, cells: [cell] }, switchCores))
  return { name: machineOwner(spec.name, machine.name), cellCpus }
}

/** The kernel's sockaddr_un holds 108 bytes, the last of them zero. */
const mostSocketBytes = 107

function refuseLongSockets(plan: MachinePlan, spec: Spec, machine: MachineSpec, notes: Notes): void {
  const sockets = [
    ...plan.interfaces.map(({ socket }) => socket),
    plan.qmpSocket,
    plan.consoleSocket,
    plan.agentSocket,
  ]
  const longest = sockets.reduce((a, b) => (byteLength(b) > byteLength(a) ? b : a))
  const bytes = byteLength(longest)
  if (bytes <= mostSocketBytes) return
  notes.refuse({
    code: 'socket-path-too-long',
    path: ['machines', spec.machines.indexOf(machine), 'name'],
    expected: `socket paths of at most ${mostSocketBytes} bytes`,
    found: `${bytes} bytes: ${longest}`,
  })
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}
