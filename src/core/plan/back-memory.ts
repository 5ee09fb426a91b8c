import { mib, showSize } from '../spec/size.js'
import type { MachineSpec } from '../spec/spec.js'
import type { Ledger } from './ledger.js'
import type { MemoryPlan } from './plan.js'
import { splitCells } from './split-cells.js'

export interface Backing {
  memory: MemoryPlan
  why: string
  /** Hugepages were wanted, and there are not enough: needed and found, for a problem. */
  short: { needed: string; found: string } | null
}

/**
 * What a machine's memory is made of on these nodes, one per guest node: the
 * smallest hugepages that fit, else plain shared memory. Takes it from the ledger.
 */
export function backMemory(machine: MachineSpec, hostNodes: number[], ledger: Ledger): Backing {
  if (machine.hugepages === 'off') {
    return {
      memory: takeMemfd(machine, hostNodes, ledger),
      why: 'The spec says hugepages: off.',
      short: null,
    }
  }
  const sizes = pageSizes(machine, hostNodes, ledger)
  for (const pageBytes of sizes) {
    const needs = pageNeeds(machine, hostNodes, pageBytes)
    if (!needs.every(({ node, pages }) => pages <= inAll(ledger, node, pageBytes))) continue
    const why = needs.map(({ node, pages }) => showTaken(ledger, node, pageBytes, pages)).join(' ')
    for (const { node, pages } of needs) ledger.takePages(node, pageBytes, pages)
    const cells = splitCells(machine, hostNodes, pageBytes)
    const memory: MemoryPlan = { bytes: machine.memoryBytes, backing: 'hugepages', pageBytes, cells }
    return { memory: bindCells(memory, ledger), why, short: null }
  }
  const short = shortage(machine, hostNodes, sizes, ledger)
  const why = `Not enough hugepages: ${short.needed} needed, found ${short.found}. Shared memory from memfd works without.`
  return { memory: takeMemfd(machine, hostNodes, ledger), why, short }
}

function takeMemfd(machine: MachineSpec, hostNodes: number[], ledger: Ledger): MemoryPlan {
  const cells = splitCells(machine, hostNodes, mib)
  for (const { hostNode, bytes } of cells) if (hostNode !== null) ledger.takeBytes(hostNode, bytes)
  return bindCells({ bytes: machine.memoryBytes, backing: 'memfd', pageBytes: 4096, cells }, ledger)
}

/** A host with one node has nothing to bind to, and containers often forbid to try. */
function bindCells(memory: MemoryPlan, ledger: Ledger): MemoryPlan {
  if (ledger.nodeIds().length > 1) return memory
  return { ...memory, cells: memory.cells.map((cell) => ({ ...cell, hostNode: null })) }
}

/** Sizes that every node knows and that divide the memory. */
function pageSizes(machine: MachineSpec, hostNodes: number[], ledger: Ledger): number[] {
  const [first = 0, ...others] = hostNodes
  return ledger
    .pageSizes(first)
    .filter((size) => machine.hugepageBytes === null || size === machine.hugepageBytes)
    .filter((size) => machine.memoryBytes % size === 0 && machine.memoryBytes / size >= hostNodes.length)
    .filter((size) => others.every((node) => ledger.pageSizes(node).includes(size)))
}

function pageNeeds(machine: MachineSpec, hostNodes: number[], pageBytes: number) {
  const needs = new Map<number, number>()
  for (const { hostNode, bytes } of splitCells(machine, hostNodes, pageBytes)) {
    if (hostNode !== null) needs.set(hostNode, (needs.get(hostNode) ?? 0) + bytes / pageBytes)
  }
  return [...needs].map(([node, pages]) => ({ node, pages }))
}

function inAll(ledger: Ledger, node: number, pageBytes: number): number {
  const { free, reservable } = ledger.pages(node, pageBytes)
  return free + reservable
}

function showTaken(ledger: Ledger, node: number, pageBytes: number, pages: number): string {
  const { free } = ledger.pages(node, pageBytes)
  const size = showSize(pageBytes)
  if (pages <= free) return `${pages} of ${free} free pages of ${size} on node ${node}.`
  return `${pages} pages of ${size} on node ${node}: ${free} are free, ${pages - free} can be reserved.`
}

function shortage(machine: MachineSpec, hostNodes: number[], sizes: number[], ledger: Ledger) {
  const pageBytes = sizes[0] ?? machine.hugepageBytes ?? 2 * mib
  const size = showSize(pageBytes)
  const needs = pageNeeds(machine, hostNodes, pageBytes)
  const needed = needs.map(({ node, pages }) => `${pages} pages of ${size} on node ${node}`).join(', ')
  const found = needs.map(({ node }) => showStock(ledger, node, pageBytes)).join(', ')
  return { needed, found }
}

/** "node 0: 12 free, 0 reservable". */
export function showStock(ledger: Ledger, node: number, pageBytes: number): string {
  const { free, reservable } = ledger.pages(node, pageBytes)
  return `node ${node}: ${free} free, ${reservable} more can be reserved`
}
