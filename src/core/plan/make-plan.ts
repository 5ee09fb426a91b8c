import { errorTable } from '../errors.js'
import type { Facts } from '../facts/facts.js'
import { type Complaint, type Problem, showPath } from '../spec/problem.js'
import { showSize } from '../spec/size.js'
import type { BootSpec, Spec } from '../spec/spec.js'
import { chooseAccel } from './choose-accel.js'
import { type Kept, keepRunning } from './keep-running.js'
import { Ledger } from './ledger.js'
import { Notes } from './notes.js'
import { placeMachines } from './place-machines.js'
import type { Folders, Plan } from './plan.js'
import { planHostServices } from './plan-host-services.js'
import { planLibvirt } from './plan-libvirt.js'
import { planMachine } from './plan-machine.js'
import { planNetworks } from './plan-networks.js'
import { planSwitch } from './plan-switch.js'
import type { PlannedCores } from './plan-switch-cores.js'
import { refuseSharedImages } from './refuse-shared-images.js'
import { sumHugepages } from './sum-hugepages.js'

export interface PlanOptions {
  /** What machines boot whose spec does not say. */
  defaultBoot?: BootSpec | undefined
  /** The plan applied before and the machines of it that run: they stay where they are. */
  keep?: Kept | undefined
  /** The cores of a switch that other deployments run on too: what the spec leaves open stays so. */
  sharedCores?: PlannedCores | undefined
  /** Names the spec in problems. */
  fileName?: string | undefined
}

/**
 * Decides everything the spec leaves open, each with its reason, or says what
 * the spec asks for and this host cannot do. The same input gives the same plan.
 */
export function makePlan(
  spec: Spec,
  facts: Facts,
  folders: Folders,
  options: PlanOptions = {},
): { ok: Plan } | { problems: Problem[] } {
  const notes = new Notes()
  const accel = chooseAccel(facts, notes)
  if (facts.qemu === null) {
    notes.refuse({ code: 'qemu-missing', path: [], expected: 'QEMU for x86_64', found: 'no such program' })
  }
  refuseTooMuchMemory(spec, facts, notes)
  refuseSharedImages(spec, facts, notes)

  const ledger = Ledger.of(facts)
  const kept = keepRunning(spec, options.keep ?? null, ledger)
  const memories = placeMachines(spec, kept, ledger, notes)
  const ownCores = kept.size > 0 ? options.keep?.plan.switch : undefined
  const keptCores = options.sharedCores ?? ownCores ?? null
  const switchPlan = planSwitch(spec, facts, folders, memories, keptCores, notes)
  const bareNetworks = planNetworks(spec, facts, notes)
  const libvirt = planLibvirt(spec, facts, notes)

  const takenMacs = new Set(
    spec.machines.flatMap(({ interfaces }) => interfaces.flatMap(({ mac }) => mac ?? [])),
  )
  const around = {
    spec,
    facts,
    folders,
    accel,
    switchCores: [...switchPlan.cores, ...switchPlan.spareCores],
    defaultBoot: options.defaultBoot ?? null,
    takenMacs,
  }
  const machines = spec.machines.flatMap((machine) => {
    const memory = memories.get(machine.name)
    return memory === undefined ? [] : [planMachine(machine, memory, around, notes)]
  })
  const networks = planHostServices(spec, bareNetworks, machines, { facts, folders }, notes)
  if (notes.complaints.length > 0) {
    const ordered = notes.complaints.sort((a, b) => specOrder(a) - specOrder(b))
    return { problems: ordered.map((complaint) => toProblem(complaint, options.fileName ?? '')) }
  }
  return {
    ok: {
      version: 1,
      deployment: spec.name,
      driver: spec.driver,
      accel,
      qemu: facts.qemu?.path ?? '',
      folders,
      switch: switchPlan,
      networks,
      machines,
      ...(libvirt === null ? {} : { libvirt }),
      hugepages: sumHugepages([...memories.values()], ledger.nodeIds()[0] ?? 0),
      reasons: notes.reasons,
    },
  }
}

function refuseTooMuchMemory(spec: Spec, { nodes }: Facts, notes: Notes): void {
  const wanted = spec.machines.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)
  const there = nodes.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)
  if (wanted <= there) return
  const found = `${showSize(wanted)} for ${spec.machines.length} machines`
  notes.refuse({
    code: 'memory-short',
    path: ['machines'],
    expected: `at most the host's ${showRough(there)}`,
    found,
  })
}

function showRough(bytes: number): string {
  return `${Math.floor(bytes / 1024 ** 2)}M`
}

/** What concerns the host or all machines first, then machine by machine. */
function specOrder({ path: [list, index] }: Complaint): number {
  return list === 'machines' && typeof index === 'number' ? index : -1
}

function toProblem({ code, path, expected, found, hint }: Complaint, file: string): Problem {
  return {
    code,
    file,
    line: 0,
    column: 0,
    path: showPath(path),
    expected,
    found,
    hint: hint ?? errorTable[code].hint,
  }
}
