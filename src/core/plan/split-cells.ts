import type { MachineSpec } from '../spec/spec.js'
import type { MemoryCell } from './plan.js'

/** The guest's NUMA nodes: memory in whole steps and vCPUs, both as even as can be, the first ones larger. */
export function splitCells(
  machine: MachineSpec,
  hostNodes: (number | null)[],
  stepBytes: number,
): MemoryCell[] {
  const steps = shares(machine.memoryBytes / stepBytes, hostNodes.length)
  const cpus = shares(machine.cpus, hostNodes.length)
  let nextCpu = 0
  return hostNodes.map((hostNode, guestNode) => {
    const first = nextCpu
    nextCpu += cpus[guestNode] ?? 0
    const ownCpus = Array.from({ length: nextCpu - first }, (_, index) => first + index)
    return { guestNode, hostNode, bytes: (steps[guestNode] ?? 0) * stepBytes, cpus: ownCpus }
  })
}

function shares(total: number, parts: number): number[] {
  const rest = total % parts
  return Array.from({ length: parts }, (_, index) => Math.floor(total / parts) + (index < rest ? 1 : 0))
}
