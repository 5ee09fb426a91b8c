import type { MachineSpec, Spec } from '../spec/spec.js'
import { backMemory } from './back-memory.js'
import type { Ledger } from './ledger.js'

/** How well one node suits some machines that would all go there. */
export interface NodeScore {
  node: number
  /** Everyone who wants hugepages gets them. */
  hugepages: boolean
  memory: boolean
  cpus: boolean
  /** Machines placed there already that share a network with them. */
  peers: number
  /** It has the card by which frames of their networks leave the host. */
  uplink: boolean
  freeCpus: number
}

/** Which nodes the machines are on so far, by machine name. */
export type Placed = Map<string, number[]>

/** The nodes, best first: room for the memory before room for the vCPUs, then short ways (to each other, then out of the host), then idle CPUs. */
export function rankNodes(machines: MachineSpec[], spec: Spec, placed: Placed, ledger: Ledger): NodeScore[] {
  const scores = ledger.nodeIds().map((node) => scoreNode(node, machines, spec, placed, ledger))
  return scores.sort(
    (a, b) =>
      Number(b.hugepages) - Number(a.hugepages) ||
      Number(b.memory) - Number(a.memory) ||
      Number(b.cpus) - Number(a.cpus) ||
      b.peers - a.peers ||
      Number(b.uplink) - Number(a.uplink) ||
      b.freeCpus - a.freeCpus ||
      a.node - b.node,
  )
}

/** Whether all of them fit there with everything they want. */
export function fitsWell(score: NodeScore): boolean {
  return score.hugepages && score.memory && score.cpus
}

function scoreNode(
  node: number,
  machines: MachineSpec[],
  spec: Spec,
  placed: Placed,
  ledger: Ledger,
): NodeScore {
  const trial = ledger.clone()
  const backings = machines.map((machine) => backMemory(machine, [node], trial))
  for (const { cpus } of machines) trial.takeCpus(node, cpus)
  return {
    node,
    hugepages: backings.every(({ short }) => short === null),
    memory: trial.freeBytes(node) >= 0,
    cpus: trial.freeCpus(node) >= 0,
    peers: peersOn(node, machines, spec, placed),
    uplink: ledger.uplink?.node === node && machines.some((machine) => leavesHost(machine, spec)),
    freeCpus: ledger.freeCpus(node),
  }
}

/** Its frames may go beyond the host: a network of its has an address of the host, which routes them. */
function leavesHost({ interfaces }: MachineSpec, { networks }: Spec): boolean {
  const routed = networks.filter(({ hostAddresses }) => hostAddresses.length > 0)
  return interfaces.some(({ network }) => routed.some(({ name }) => name === network))
}

function peersOn(node: number, machines: MachineSpec[], spec: Spec, placed: Placed): number {
  const networks = new Set(machines.flatMap((machine) => machine.interfaces.map(({ network }) => network)))
  const isPeer = ({ interfaces }: MachineSpec) => interfaces.some(({ network }) => networks.has(network))
  return spec.machines.filter((other) => placed.get(other.name)?.includes(node) && isPeer(other)).length
}

/** Machines that reach each other over shared networks, as groups in the order of the spec. */
export function groupByNetwork(machines: MachineSpec[]): MachineSpec[][] {
  const groups: { networks: Set<string>; members: Set<MachineSpec> }[] = []
  for (const machine of machines) {
    const own = new Set(machine.interfaces.map(({ network }) => network))
    const joined = groups.filter(({ networks }) => [...own].some((network) => networks.has(network)))
    const [home = { networks: new Set<string>(), members: new Set<MachineSpec>() }, ...others] = joined
    if (joined.length === 0) groups.push(home)
    for (const { networks, members } of [...others, { networks: own, members: [machine] }]) {
      for (const network of networks) home.networks.add(network)
      for (const member of members) home.members.add(member)
    }
    for (const other of others) groups.splice(groups.indexOf(other), 1)
  }
  return groups.map(({ members }) => [...members])
}
