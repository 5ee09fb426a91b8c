import type { Facts } from '../facts/facts.js'
import type { Spec } from '../spec/spec.js'
import type { Notes } from './notes.js'
import type { Folders, MemoryPlan, SwitchPlan } from './plan.js'

/** A node with fewer CPUs would lose too large a part of them to a worker's own core. */
const fewestCpusToPin = 4

/** The switch program, its files, and the cores of its workers. */
export function planSwitch(
  spec: Spec,
  facts: Facts,
  folders: Folders,
  memories: ReadonlyMap<string, MemoryPlan>,
  keptCores: number[] | null,
  notes: Notes,
): SwitchPlan {
  if (facts.switchPath === null) {
    const expected = 'the program vhostkit-switch'
    notes.refuse({ code: 'switch-missing', path: [], expected, found: 'no such program' })
  }
  return {
    program: facts.switchPath ?? '',
    control: `${folders.run}/switch.sock`,
    stateFile: `${folders.run}/switch-state.json`,
    log: `${folders.run}/switch.log`,
    cores: planCores(spec, facts, memories, keptCores, notes),
    idle: spec.switch.idle,
  }
}

function planCores(
  spec: Spec,
  { nodes }: Facts,
  memories: ReadonlyMap<string, MemoryPlan>,
  keptCores: number[] | null,
  notes: Notes,
): number[] {
  const decide = (cores: number[], why: string) => {
    notes.because('switch cores', cores.length === 0 ? 'not pinned' : cores.join(', '), why)
    return cores
  }
  if (spec.switch.cores !== 'auto') {
    const unknown = spec.switch.cores.filter((core) => !nodes.some(({ cpus }) => cpus.includes(core)))
    if (unknown.length > 0) {
      const expected = `CPUs of this host: ${nodes.flatMap(({ cpus }) => cpus).join(', ')}`
      notes.refuse({ code: 'core-unknown', path: ['switch', 'cores'], expected, found: unknown.join(', ') })
    }
    return decide(spec.switch.cores, 'The spec says so.')
  }
  if (keptCores !== null) return decide(keptCores, 'Machines run on the switch, so it stays as it is.')
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
    return decide([], `A worker gets its own core only on nodes with ${fewestCpusToPin} CPUs or more.`)
  }
  const cores = used.map(({ cpus }) => Math.max(...cpus))
  return decide(cores, 'One worker on each node that has machines, so rings are served from their own node.')
}
