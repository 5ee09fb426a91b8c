import type { PortInfo, PortStats, SwitchInfo, WorkerInfo } from '../../drivers/switch/protocol.js'
import type { Sample } from '../../drivers/switch/sample.js'

/** Per second. */
export interface Flow {
  frames_per_s: number
  bits_per_s: number
}

export interface PortView {
  name: string
  network: string
  state: PortInfo['state']
  /** NUMA node of the guest's memory; null: unknown, or none. */
  node: number | null
  /** Queue pairs that are served from another node. */
  remote_queues: number
  /** What came from the port and went to it; null until there are two samples of it. */
  rx: Flow | null
  tx: Flow | null
  /** By reason, only those above 0: a second; and since the port is there. */
  drops_per_s: Record<string, number>
  drops: Record<string, number>
}

/** What `vhostkit top` shows. */
export interface View {
  switch: SwitchInfo
  /** Between the two samples, by the switch's clock; null: there is only one of this process. */
  seconds: number | null
  workers: WorkerInfo[]
  ports: PortView[]
}

/** Rates of what grew between two samples. Counters of another process, or of a port made anew, begin anew. */
export function viewOf(before: Sample | null, now: Sample): View {
  const same = before !== null && before.info.pid === now.info.pid && before.info.starts === now.info.starts
  const elapsed = same ? (now.info.uptime_ms - before.info.uptime_ms) / 1000 : 0
  const seconds = elapsed > 0 ? elapsed : null
  return {
    switch: now.info,
    seconds,
    workers: now.workers,
    ports: now.stats.map((stats) => {
      const earlier = before?.stats.find(({ name }) => name === stats.name)
      const info = now.ports.find(({ name }) => name === stats.name)
      return viewPort(stats, info, seconds === null ? undefined : earlier, seconds ?? 1)
    }),
  }
}

function viewPort(
  now: PortStats,
  info: PortInfo | undefined,
  before: PortStats | undefined,
  seconds: number,
): PortView {
  const earlier = before !== undefined && !wentBack(before, now) ? before : undefined
  const grown = (reason: string) => ((now.drops[reason] ?? 0) - (earlier?.drops[reason] ?? 0)) / seconds
  const reasons = Object.keys(now.drops)
  return {
    name: now.name,
    network: info?.network ?? '',
    state: info?.state ?? 'waiting',
    node:
      info?.memory === undefined || info.memory === null || info.memory.node < 0 ? null : info.memory.node,
    remote_queues: info?.memory?.remote ?? 0,
    rx: earlier === undefined ? null : flow(earlier.rx, now.rx, seconds),
    tx: earlier === undefined ? null : flow(earlier.tx, now.tx, seconds),
    drops_per_s: earlier === undefined ? {} : positive(reasons.map((reason) => [reason, grown(reason)])),
    drops: positive(Object.entries(now.drops)),
  }
}

function flow(before: PortStats['rx'], now: PortStats['rx'], seconds: number): Flow {
  return {
    frames_per_s: (now.frames - before.frames) / seconds,
    bits_per_s: (8 * (now.bytes - before.bytes)) / seconds,
  }
}

function wentBack(before: PortStats, now: PortStats): boolean {
  return now.rx.frames < before.rx.frames || now.tx.frames < before.tx.frames
}

function positive(entries: [string, number][]): Record<string, number> {
  return Object.fromEntries(entries.filter(([, count]) => count > 0))
}
