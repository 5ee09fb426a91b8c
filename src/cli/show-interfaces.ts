import type { InterfaceStatus } from '../apply/interface-status.js'
import { showTable } from '../core/render/show-table.js'

/** The cards of a deployment, the features that each agreed on, and loudly what is on the wrong node. */
export function showInterfaces(interfaces: InterfaceStatus[], width: number | null = null): string[] {
  if (interfaces.length === 0) return []
  const heading = ['INTERFACE', 'NETWORK', 'STATE', 'QUEUES', 'MEMORY', 'WORKER', 'DROPS', 'LAST ERROR']
  return [
    showTable([heading, ...interfaces.map(interfaceRow)], width),
    ...showFeatures(interfaces),
    ...interfaces.filter(({ far }) => far).map(showFar),
    ...interfaces.flatMap(showFarUplink),
  ]
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

function interfaceRow(one: InterfaceStatus): string[] {
  const { network, state, queues, memory_node, worker_nodes, drops, last_error } = one
  const counts = Object.entries(drops).map(([reason, count]) => `${reason} ${count}`)
  return [
    nameOf(one),
    network,
    state,
    `${queues.started} of ${queues.offered}`,
    memory_node === null ? '-' : `node ${memory_node}`,
    worker_nodes.length === 0 ? '-' : `node ${worker_nodes.join(', ')}`,
    counts.length === 0 ? 'none' : counts.join(', '),
    last_error ?? '-',
  ]
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
