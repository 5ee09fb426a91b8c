import { showSize } from '../spec/size.js'
import type { MachineSpec, Spec } from '../spec/spec.js'
import { backMemory, showStock } from './back-memory.js'
import type { Ledger } from './ledger.js'
import type { Notes } from './notes.js'
import type { MemoryPlan } from './plan.js'
import { fitsWell, groupByNetwork, type NodeScore, type Placed, rankNodes } from './rank-nodes.js'

/** A machine's place: its memory, and the sentences that explain both. */
interface Place {
  memory: MemoryPlan
  whyNode: string
  whyMemory: string
}

/**
 * Puts every machine on nodes of the host and backs its memory there. Machines
 * in `kept` run already and stay as they are. The result is in the spec's order.
 */
export function placeMachines(
  spec: Spec,
  kept: ReadonlyMap<string, MemoryPlan>,
  ledger: Ledger,
  notes: Notes,
): Map<string, MemoryPlan> {
  const places = new Map<string, Place>()
  const placed: Placed = new Map()
  const settle = (machine: MachineSpec, place: Place) => {
    places.set(machine.name, place)
    const nodes = place.memory.cells.flatMap(({ hostNode }) => hostNode ?? [])
    placed.set(machine.name, nodes)
    for (const { hostNode, cpus } of place.memory.cells) {
      if (hostNode !== null) ledger.takeCpus(hostNode, cpus.length)
    }
  }

  const whyKept = 'It runs already and stays as it is.'
  for (const machine of spec.machines) {
    const memory = kept.get(machine.name)
    if (memory !== undefined) settle(machine, { memory, whyNode: whyKept, whyMemory: whyKept })
  }
  const waiting = spec.machines.filter(({ name }) => !kept.has(name))
  for (const machine of waiting) {
    if (machine.nodes !== 'auto') settle(machine, placeAsAsked(machine, machine.nodes, spec, ledger, notes))
  }
  for (const group of groupByNetwork(waiting.filter(({ nodes }) => nodes === 'auto'))) {
    const [best] = rankNodes(group, spec, placed, ledger)
    const together = best !== undefined && fitsWell(best)
    for (const machine of group) {
      const score = together ? best : rankNodes([machine], spec, placed, ledger)[0]
      if (score === undefined) continue
      const whyNode = explainNode(score, machine, together && group.length > 1, ledger)
      settle(machine, placeByScore(machine, score, whyNode, spec, ledger, notes))
    }
  }
  return inSpecOrder(spec, places, ledger, notes)
}

function placeAsAsked(
  machine: MachineSpec,
  nodes: number[],
  spec: Spec,
  ledger: Ledger,
  notes: Notes,
): Place {
  const unknown = nodes.filter((node) => ledger.node(node) === null)
  if (unknown.length > 0) {
    notes.refuse({
      code: 'node-unknown',
      path: ['machines', spec.machines.indexOf(machine), 'node'],
      expected: `nodes of this host: ${ledger.nodeIds().join(', ')}`,
      found: unknown.join(', '),
    })
  }
  const known = nodes.map((node) => (ledger.node(node) === null ? (ledger.nodeIds()[0] ?? 0) : node))
  const { memory, why, short } = backMemory(machine, known, ledger)
  if (machine.hugepages === 'required' && short !== null) refuseShort(machine, short, spec, notes)
  return { memory, whyNode: 'The spec says so.', whyMemory: why }
}

function placeByScore(
  machine: MachineSpec,
  { node }: NodeScore,
  whyNode: string,
  spec: Spec,
  ledger: Ledger,
  notes: Notes,
): Place {
  // No node is better than this one, so in a refusal the figures of all of them are news; after backMemory they are less.
  const found = ledger
    .nodeIds()
    .map((id) => showStock(ledger, id, machine.hugepageBytes ?? smallest(ledger, id)))
    .join(', ')
  const { memory, why, short } = backMemory(machine, [node], ledger)
  if (machine.hugepages === 'required' && short !== null) {
    refuseShort(
      machine,
      { needed: short.needed.replace(/ on node \d+$/, ' on one node'), found },
      spec,
      notes,
    )
  }
  if (memory.backing === 'hugepages' || ledger.nodeIds().length === 1 || ledger.freeBytes(node) >= 0) {
    return { memory, whyNode, whyMemory: why }
  }
  const unbound = { ...memory, cells: memory.cells.map((cell) => ({ ...cell, hostNode: null })) }
  const size = showSize(machine.memoryBytes)
  return {
    memory: unbound,
    whyNode: `No node has ${size} free, so the memory is not bound to one.`,
    whyMemory: why,
  }
}

function smallest(ledger: Ledger, node: number): number {
  return ledger.pageSizes(node)[0] ?? 2 * 1024 * 1024
}

function refuseShort(
  machine: MachineSpec,
  short: { needed: string; found: string },
  spec: Spec,
  notes: Notes,
): void {
  const path = ['machines', spec.machines.indexOf(machine), 'hugepages']
  notes.refuse({ code: 'hugepages-short', path, expected: short.needed, found: short.found })
}

function explainNode(score: NodeScore, machine: MachineSpec, together: boolean, ledger: Ledger): string {
  const { node, hugepages, cpus, peers, freeCpus, uplink } = score
  if (ledger.nodeIds().length === 1) return 'The host has no other.'
  if (together)
    return `Node ${node} has room for all machines of its networks, so their frames stay on the node${wayOut(uplink, ledger)}.`
  const pages =
    machine.hugepages === 'off' ? [] : [hugepages ? 'the hugepages' : 'as few hugepages as the others']
  const room = cpus ? `${freeCpus} CPUs not promised to others` : 'CPUs that are shared'
  const near = peers === 0 ? [] : [`${peers} of its network neighbours`]
  return `Node ${node} has ${[...pages, room, ...near].join(' and ')}${wayOut(uplink, ledger)}.`
}

function wayOut(here: boolean, { uplink }: Ledger): string {
  return here && uplink !== null ? `; ${uplink.name}, by which frames leave the host, is on it, too` : ''
}

function inSpecOrder(
  spec: Spec,
  places: Map<string, Place>,
  ledger: Ledger,
  notes: Notes,
): Map<string, MemoryPlan> {
  const memories = new Map<string, MemoryPlan>()
  for (const { name } of spec.machines) {
    const place = places.get(name)
    if (place === undefined) continue
    const { memory, whyNode, whyMemory } = place
    const only = ledger.nodeIds().length === 1 ? String(ledger.nodeIds()[0]) : 'any'
    const nodes = memory.cells.map(({ hostNode }) => hostNode ?? only).join(', ')
    notes.because(`machine ${name} node`, nodes, whyNode)
    const size = memory.backing === 'memfd' ? '' : ` of ${showSize(memory.pageBytes)}`
    notes.because(`machine ${name} memory`, `${memory.backing}${size}`, whyMemory)
    memories.set(name, memory)
  }
  return memories
}
