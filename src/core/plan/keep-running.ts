import type { MachineSpec, Spec } from '../spec/spec.js'
import type { Ledger } from './ledger.js'
import type { MemoryPlan, Plan } from './plan.js'

/** What was applied before, and which of its machines run now. */
export interface Kept {
  plan: Plan
  running: string[]
}

/**
 * The memory of machines that run and whose wishes it still fulfils. Planned
 * anew they might move: they themselves hold the pages that would be missing.
 * What the other running ones hold goes back to the ledger.
 */
export function keepRunning(spec: Spec, kept: Kept | null, ledger: Ledger): Map<string, MemoryPlan> {
  const memories = new Map<string, MemoryPlan>()
  if (kept === null || kept.plan.deployment !== spec.name) return memories
  for (const old of kept.plan.machines) {
    if (!kept.running.includes(old.name)) continue
    const wanted = spec.machines.find(({ name }) => name === old.name)
    if (wanted !== undefined && fulfils(old.memory, old.cpus, wanted)) memories.set(old.name, old.memory)
    else returnPages(old.memory, ledger)
  }
  return memories
}

function fulfils(memory: MemoryPlan, cpus: number, wanted: MachineSpec): boolean {
  const { hugepages, hugepageBytes, nodes } = wanted
  const backed =
    memory.backing === 'memfd'
      ? hugepages !== 'required'
      : hugepages !== 'off' && (hugepageBytes === null || hugepageBytes === memory.pageBytes)
  const hostNodes = memory.cells.map(({ hostNode }) => hostNode)
  const placed =
    nodes === 'auto'
      ? hostNodes.length === 1
      : hostNodes.length === nodes.length &&
        hostNodes.every((node, index) => node === null || node === nodes[index])
  return cpus === wanted.cpus && memory.bytes === wanted.memoryBytes && backed && placed
}

function returnPages({ backing, pageBytes, cells }: MemoryPlan, ledger: Ledger): void {
  if (backing !== 'hugepages') return
  for (const { hostNode, bytes } of cells) {
    ledger.returnPages(hostNode ?? ledger.nodeIds()[0] ?? 0, pageBytes, bytes / pageBytes)
  }
}
