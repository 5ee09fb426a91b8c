/** The answers of the native switch, as native/PROTOCOL.md has them. */

import type { PortPolicy } from '../../core/plan/plan.js'

export interface SwitchInfo {
  version: string
  pid: number
  supervisor_pid: number
  uptime_ms: number
  /** Starts since the supervisor began: 1 = never crashed. */
  starts: number
  /** Starts just before this one that did not last for a second. */
  crashes_in_a_row: number
  /** How the last one ended, as in "SIGSEGV after 3 ms". */
  last_crash: string | null
  /** Of a switch that a service manager started; 0: it wants no watchdog. */
  service: { watchdog_ms: number } | null
  state_file: string
  idle: 'adaptive' | 'poll'
  ports: number
  networks: number
  workers: number
  /** Ports of the state file that could not be added again at the start. */
  lost: string[]
}

export interface PortInfo {
  name: string
  kind: 'vhost-user' | 'tap'
  network: string
  socket: string | null
  role: 'client' | 'server' | null
  ifname: string | null
  mtu: number
  mac_limit: number
  /** Only where the port has one. */
  policy?: PortPolicy
  queues: number
  state: 'waiting' | 'connected' | 'up' | 'broken'
  connects: number
  last_error: string | null
  features: { offered: string; negotiated: string; names: string[] } | null
  memory: PortMemory | null
  rings: RingInfo[]
  /** Only where its policy has one. */
  mirror?: MirrorInfo
  /** Clients that capture it now, where there are some. */
  captures?: { frames: number; lost: number; bytes: number }[]
}

export interface MirrorInfo {
  state: 'on' | 'waiting' | 'full' | 'failed' | 'off'
  why?: string
  /** Of one to a file. */
  file?: string | null
  frames?: number
  lost?: number
  bytes?: number
}

/** The guest's memory; `node` -1: unknown. */
export interface PortMemory {
  regions: number
  bytes: number
  node: number
  /** Queue pairs that are served from another node. */
  remote: number
  /** Pages of the port's own state on another node. */
  strays: number
}

export interface RingInfo {
  index: number
  size: number
  started: boolean
  enabled: boolean
  broken: string | null
  worker: number
}

export interface MacInfo {
  network: string
  mac: string
  /** 0: without one. */
  vlan: number
  port: string
  age_s: number
}

export interface PortStats {
  name: string
  rx: { frames: number; bytes: number }
  tx: { frames: number; bytes: number }
  drops: Record<string, number>
  /** Of frames to the port, when it had no buffers at first. */
  retry: { tried: number; delivered: number }
  queues: { index: number; frames: number; bytes: number; kicks: number; calls: number }[]
}

export interface WorkerInfo {
  id: number
  core: number
  node: number
  sources: number
  rounds: number
  busy_ms: number
  /** Thousandths of the last second. */
  load: number
  sleeps: number
  state: 'polling' | 'sleeping'
  queues: { port: string; queue: number; load: number }[]
}

export interface SwitchEvent {
  seq: number
  time_ms: number
  type: string
  port?: string
  why?: string
  queue?: number
  node?: number
  worker?: number
  worker_node?: number
}

/** What each method answers. */
export interface SwitchMethods {
  'switch.info': SwitchInfo
  'switch.shutdown': Record<string, never>
  'port.add': { port: PortInfo }
  'port.del': Record<string, never>
  'port.set': { port: PortInfo }
  'port.list': { ports: PortInfo[] }
  'mac.list': { macs: MacInfo[] }
  'stats.get': { ports: PortStats[] }
  'worker.list': { workers: WorkerInfo[] }
  'events.subscribe': Record<string, never>
}

/** The `error` of a JSON-RPC answer. */
export interface SwitchRefusal {
  code: number
  message: string
  data?: { reason?: string; wanted?: string; found?: string; hint?: string }
}
