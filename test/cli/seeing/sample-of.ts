import type { PortInfo, PortStats, WorkerInfo } from '../../../src/drivers/switch/protocol.js'
import type { Sample } from '../../../src/drivers/switch/sample.js'

/** A port for a sample: what it did, and what was dropped. */
export interface PortDid {
  name: string
  network?: string
  state?: PortInfo['state']
  node?: number
  remote?: number
  rx?: number
  tx?: number
  drops?: Record<string, number>
}

const noDrops = { runt: 0, mtu: 0, rx_no_room: 0, no_destination: 0 }

/** What a switch that has been up for so long would answer. */
export function sampleOf(
  uptimeMs: number,
  did: PortDid[],
  workers: Partial<WorkerInfo>[] = [{}],
  pid = 7,
): Sample {
  return {
    info: {
      version: '0.1.0',
      pid,
      supervisor_pid: 6,
      uptime_ms: uptimeMs,
      starts: 1,
      crashes_in_a_row: 0,
      last_crash: null,
      service: null,
      state_file: '/s',
      idle: 'adaptive',
      ports: did.length,
      networks: new Set(did.map(({ network }) => network ?? 'lan')).size,
      workers: workers.length,
      lost: [],
    },
    ports: did.map(portOf),
    stats: did.map(statsOf),
    workers: workers.map((worker, id) => ({ ...idleWorker, id, ...worker })),
  }
}

const idleWorker: WorkerInfo = {
  id: 0,
  core: 1,
  node: 0,
  sources: 2,
  rounds: 100,
  busy_ms: 1500,
  load: 250,
  sleeps: 3,
  state: 'sleeping',
  queues: [],
}

function portOf({ name, network = 'lan', state = 'up', node = 0, remote = 0 }: PortDid): PortInfo {
  return {
    name,
    kind: 'vhost-user',
    network,
    socket: `/run/${name}.sock`,
    role: 'client',
    ifname: null,
    mtu: 1500,
    mac_limit: 1024,
    queues: 1,
    state,
    connects: 1,
    last_error: null,
    features: null,
    memory: { regions: 1, bytes: 1 << 20, node, remote, strays: 0 },
    rings: [],
  }
}

function statsOf({ name, rx = 0, tx = 0, drops = {} }: PortDid): PortStats {
  return {
    name,
    rx: { frames: rx, bytes: 100 * rx },
    tx: { frames: tx, bytes: 100 * tx },
    drops: { ...noDrops, ...drops },
    retry: { tried: 5, delivered: 4 },
    queues: [
      { index: 0, frames: tx, bytes: 0, kicks: 1, calls: 2 },
      { index: 1, frames: rx, bytes: 0, kicks: 3, calls: 4 },
    ],
  }
}
