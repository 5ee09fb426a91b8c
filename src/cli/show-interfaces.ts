import type { InterfaceStatus } from '../apply/interface-status.js'
import { type Column, showColumns } from './columns.js'

/** The cards of a deployment, the features that each agreed on, and loudly what is on the wrong node. */
export function showInterfaces(interfaces: InterfaceStatus[], width: number | null = null): string[] {
  if (interfaces.length === 0) return []
  return [
    showColumns(columns, interfaces, width),
    ...showFeatures(interfaces),
    ...interfaces.filter(({ far }) => far).map(showFar),
    ...interfaces.flatMap(showFarUplink),
  ]
}

const columns: Column<InterfaceStatus>[] = [
  { title: 'INTERFACE', cell: nameOf, rank: 1, least: 12, cut: 'middle' },
  { title: 'NETWORK', cell: ({ network }) => network, rank: 6, least: 8, cut: 'middle' },
  { title: 'STATE', cell: ({ state }) => state, rank: 2 },
  { title: 'QUEUES', cell: ({ queues }) => `${queues.started} of ${queues.offered}`, rank: 5 },
  {
    title: 'MEMORY',
    cell: ({ memory_node }) => (memory_node === null ? '-' : `node ${memory_node}`),
    rank: 7,
  },
  {
    title: 'WORKER',
    cell: ({ worker_nodes }) => (worker_nodes.length === 0 ? '-' : `node ${worker_nodes.join(', ')}`),
    rank: 8,
  },
  { title: 'DROPS', cell: showDrops, rank: 4, least: 14, wraps: true },
  { title: 'LAST ERROR', cell: ({ last_error }) => last_error ?? '-', rank: 3, least: 14, wraps: true },
]

function showDrops({ drops }: InterfaceStatus): string {
  const counts = Object.entries(drops).map(([reason, count]) => `${reason} ${count}`)
  return counts.length === 0 ? 'none' : counts.join(', ')
}

/** Alike guests agree on alike features: said once. */
function showFeatures(interfaces: InterfaceStatus[]): string[] {
  const agreed = new Map<string, string[]>()
  for (const one of interfaces.filter(({ features }) => features.length > 0)) {
    const features = one.features.join(' ')
    agreed.set(features, [...(agreed.get(features) ?? []), nameOf(one)])
  }
  return [...agreed].map(([features, names]) => {
    const who =
      names.length <= 3 ? names.join(', ') : `${names.length} interfaces (${names.slice(0, 2).join(', ')}, …)`
    return `features of ${who}: ${features}`
  })
}

function showFar(one: InterfaceStatus): string {
  return `WRONG NODE: the memory of ${nameOf(one)} is on node ${one.memory_node}, its worker on node ${one.worker_nodes.join(', ')}; see \`vhostkit doctor\`.`
}

function showFarUplink(one: InterfaceStatus): string[] {
  const { far_uplink: uplink, memory_node } = one
  if (uplink === null) return []
  return [
    `WRONG NODE: the memory of ${nameOf(one)} is on node ${memory_node}, ${uplink.name}, by which its frames leave the host, on node ${uplink.node}.`,
  ]
}

function nameOf({ machine, index }: InterfaceStatus): string {
  return `${machine} net${index}`
}
