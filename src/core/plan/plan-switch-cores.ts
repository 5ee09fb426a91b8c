import type { Facts, NumaNode } from '../facts/facts.js'
import type { Spec } from '../spec/spec.js'
import type { Notes } from './notes.js'
import type { MemoryPlan, SwitchPlan } from './plan.js'

export type PlannedCores = Pick<SwitchPlan, 'cores' | 'spareCores'>

/** A node with fewer CPUs would lose too large a part of them to a worker's own core. */
const fewestCpusToPin = 4

const whyKept = 'Machines run on the switch, so it stays as it is.'

/** The cores that have a worker always, and those that get one while guests are on their node. */
export function planCores(
  spec: Spec,
  facts: Facts,
  memories: ReadonlyMap<string, MemoryPlan>,
  kept: PlannedCores | null,
  notes: Notes,
): PlannedCores {
  const cores = planOwnCores(spec, facts, memories, kept, notes)
  return { cores, spareCores: planSpareCores(spec, facts, cores, kept, notes) }
}

function planOwnCores(
  spec: Spec,
  { nodes }: Facts,
  memories: ReadonlyMap<string, MemoryPlan>,
  kept: PlannedCores | null,
  notes: Notes,
): number[] {
  const decide = (cores: number[], why: string) => {
    notes.because('switch cores', cores.length === 0 ? 'not pinned' : cores.join(', '), why)
    return cores
  }
  if (spec.switch.cores !== 'auto') {
    refuseUnknown('cores', spec.switch.cores, nodes, notes)
    return decide(spec.switch.cores, 'The spec says so.')
  }
  if (kept !== null) return decide(kept.cores, whyKept)
  if (nodes.length === 1) {
    return decide(
      [],
      'The host has one NUMA node: one worker, which the kernel moves to where there is room.',
    )
  }
  const withPorts = spec.machines.filter(({ interfaces }) => interfaces.length > 0)
  const cells = withPorts.flatMap(({ name }) => memories.get(name)?.cells ?? [])
  const used = nodes.filter(({ id }) => cells.some(({ hostNode }) => hostNode === id))
  if (used.length === 0 || used.some(({ cpus }) => cpus.length < fewestCpusToPin)) {
    return decide(
      [],
      `A worker gets its own core only on nodes with ${fewestCpusToPin} CPUs or more; else each node with guests has a worker on any of its CPUs.`,
    )
  }
  return decide(
    used.map(lastCpu),
    'One worker on each node that has machines, so rings are served from their own node.',
  )
}

function planSpareCores(
  spec: Spec,
  { nodes }: Facts,
  cores: number[],
  kept: PlannedCores | null,
  notes: Notes,
): number[] {
  const { spareCores } = spec.switch
  if (spareCores !== 'auto') {
    refuseUnknown('spare-cores', spareCores, nodes, notes)
    notes.because('switch spare cores', spareCores.join(', ') || 'none', 'The spec says so.')
    return spareCores
  }
  // Without cores of its own the switch has a place on every node; with cores of the spec it keeps to them.
  if (cores.length === 0 || spec.switch.cores !== 'auto') return []
  if (kept !== null) {
    // A receipt of an older version has none.
    const same = kept.spareCores ?? []
    if (same.length > 0) notes.because('switch spare cores', same.join(', '), whyKept)
    return same
  }
  const spare = nodes
    .filter(({ cpus }) => cpus.length >= fewestCpusToPin && !cpus.some((cpu) => cores.includes(cpu)))
    .map(lastCpu)
  if (spare.length > 0) {
    notes.because(
      'switch spare cores',
      spare.join(', '),
      'A worker is started there while a guest has its memory on that node, and stopped when the last one has left.',
    )
  }
  return spare
}

function refuseUnknown(key: 'cores' | 'spare-cores', cores: number[], nodes: NumaNode[], notes: Notes): void {
  const unknown = cores.filter((core) => !nodes.some(({ cpus }) => cpus.includes(core)))
  if (unknown.length === 0) return
  const expected = `CPUs of this host: ${nodes.flatMap(({ cpus }) => cpus).join(', ')}`
  notes.refuse({ code: 'core-unknown', path: ['switch', key], expected, found: unknown.join(', ') })
}

function lastCpu({ cpus }: NumaNode): number {
  return Math.max(...cpus)
}
