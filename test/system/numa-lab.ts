import { runLab } from './lab-machine.js'

/** Pages by node, as the kernel of the lab counts them. */
export interface LabPages {
  on: [number, number]
  absent: number
}

/** Where the ring state of a port is: by part (move_pages), and by whole mappings (numa_maps). */
export interface LabState {
  parts: Record<string, LabPages>
  maps: LabPages
}

/** One line of native/test/lab/numa_lab.c. */
export interface LabStep {
  step: string
  guest: LabPages
  memory: { node: number; remote: number; strays: number }
  rings: { index: number; worker: number }[]
  workers: { id: number; core: number; node: number }[]
  threads: { name: string; cpus: string }[]
  state: LabState
  neighbour: LabState
  passed: number
  events: { type: string; port?: string; node?: number; worker?: number; worker_node?: number }[]
}

/** Two CPUs and 320 MiB on each of two nodes. */
const nodes = [
  ...['-smp', '4,sockets=2,cores=2', '-m', '640M'],
  ...[0, 1].flatMap((node) => [
    ...['-object', `memory-backend-ram,id=m${node},size=320M`],
    ...['-numa', `node,nodeid=${node},cpus=${2 * node}-${2 * node + 1},memdev=m${node}`],
  ]),
]

/** Boots a machine of two NUMA nodes that runs the lab, and returns what it printed; throws when it does not end well. */
export async function runNumaLab(build: string): Promise<LabStep[]> {
  const { steps } = await runLab<LabStep>({
    init: 'native/test/lab/numa-init',
    programs: { 'bin/vhostkit-switch': `${build}/vhostkit-switch`, 'bin/numa-lab': `${build}/test/numa-lab` },
    files: {},
    hardware: nodes,
  })
  return steps
}
