import type { UplinkFact } from '../core/facts/facts.js'
import { askSwitch } from '../drivers/switch/client.js'
import { readPorts } from '../drivers/switch/ports.js'
import type { PortInfo, PortStats, WorkerInfo } from '../drivers/switch/protocol.js'
import type { Receipt } from './receipt.js'

/** All that is worth knowing of one card of a machine, from the switch that serves it. */
export interface InterfaceStatus {
  machine: string
  index: number
  network: string
  mac: string
  port: string
  /** "missing": the switch has no such port, or does not answer. */
  state: PortInfo['state'] | 'missing'
  connects: number
  /** Queue pairs that the switch offers, and those that the guest set up. */
  queues: { offered: number; started: number }
  /** Negotiated, by name; empty before the guest has set the card up. */
  features: string[]
  /** NUMA nodes of the guest's memory and of the workers that serve it; null and empty when unknown. */
  memory_node: number | null
  worker_nodes: number[]
  /** A worker is on another node than the memory: each frame crosses the nodes. */
  far: boolean
  /** The card by which its frames leave the host, where that is on another node than the memory. */
  far_uplink: UplinkFact | null
  /** Frames dropped, by reason; those that never happened are left out. */
  drops: Record<string, number>
  last_error: string | null
}

/** What the switch says of its ports; null when it does not answer. */
export interface SwitchView {
  ports: PortInfo[]
  stats: PortStats[]
  workers: WorkerInfo[]
}

export async function readSwitchView(control: string): Promise<SwitchView | null> {
  try {
    const [ports, { ports: stats }, { workers }] = await Promise.all([
      readPorts(control),
      askSwitch(control, 'stats.get'),
      askSwitch(control, 'worker.list'),
    ])
    return { ports, stats, workers }
  } catch {
    return null
  }
}

/** The cards of a deployment that was applied, each as it is now. */
export function interfacesOf(
  { plan }: Pick<Receipt, 'plan'>,
  view: SwitchView | null,
  uplink: UplinkFact | null = null,
): InterfaceStatus[] {
  return plan.machines.flatMap(({ name: machine, interfaces }) =>
    interfaces.map(({ index, network, mac, port: name, queues }) => {
      const port = view?.ports.find((other) => other.name === name)
      const drops = view?.stats.find((other) => other.name === name)?.drops ?? {}
      const known = { machine, index, network, mac, port: name }
      const described = describePort(port, queues, view?.workers ?? [])
      const leaves = plan.networks.some(({ name: other, tap }) => other === network && tap !== null)
      const { memory_node } = described
      const far_uplink = leaves && memory_node !== null && uplink?.node !== memory_node ? uplink : null
      return { ...known, ...described, far_uplink, drops: whatHappened(drops) }
    }),
  )
}

function describePort(port: PortInfo | undefined, planned: number, workers: WorkerInfo[]) {
  const node = port?.memory?.node ?? -1
  const serving = new Set(port?.rings.map(({ worker }) => worker))
  const nodes = workers.filter(({ id, node: at }) => serving.has(id) && at >= 0).map(({ node: at }) => at)
  const worker_nodes = [...new Set(nodes)].sort((a, b) => a - b)
  return {
    state: port?.state ?? ('missing' as const),
    connects: port?.connects ?? 0,
    queues: { offered: port?.queues ?? planned, started: countPairs(port) },
    features: port?.state === 'up' ? (port.features?.names ?? []) : [],
    memory_node: node < 0 ? null : node,
    worker_nodes,
    far: node >= 0 && worker_nodes.some((at) => at !== node),
    last_error: port?.last_error ?? null,
  }
}

/** A pair counts when both its rings run. */
function countPairs(port: PortInfo | undefined): number {
  const running = new Set(
    port?.rings.filter(({ started, enabled }) => started && enabled).map(({ index }) => index),
  )
  return [...running].filter((index) => index % 2 === 0 && running.has(index + 1)).length
}

function whatHappened(drops: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(drops).filter(([, count]) => count > 0))
}
