import type { PortInfo, PortStats, WorkerInfo } from '../../drivers/switch/protocol.js'
import type { Sample } from '../../drivers/switch/sample.js'
import type { MetricFamily, MetricSample } from './metrics.js'

const states: PortInfo['state'][] = ['waiting', 'connected', 'up', 'broken']

/**
 * Labels are names of ports and networks, reasons, and numbers of workers: as many as there are things. What a guest
 * can make up, as addresses, is no label.
 */
export function listFamilies({ info, ports, stats, workers }: Sample): MetricFamily[] {
  const gauge = (name: string, help: string, value: number) =>
    one('gauge', name, help, [{ labels: {}, value }])
  return [
    one('gauge', 'vhostkit_switch_info', 'The version of the switch, always 1.', [
      { labels: { version: info.version, idle: info.idle }, value: 1 },
    ]),
    gauge(
      'vhostkit_switch_uptime_seconds',
      'Time since this process of the switch began.',
      info.uptime_ms / 1000,
    ),
    one('counter', 'vhostkit_switch_starts_total', 'Starts since the supervisor began: 1 without a crash.', [
      { labels: {}, value: info.starts },
    ]),
    gauge('vhostkit_switch_ports', 'Ports there are.', info.ports),
    gauge('vhostkit_switch_networks', 'Networks there are.', info.networks),
    gauge(
      'vhostkit_switch_lost_ports',
      'Ports of the state file that could not be added at the start.',
      info.lost.length,
    ),
    ...trafficFamilies(stats, new Map(ports.map((port) => [port.name, port.network]))),
    ...portFamilies(ports),
    ...workerFamilies(workers),
  ]
}

function trafficFamilies(stats: PortStats[], networks: Map<string, string>): MetricFamily[] {
  const counter = (name: string, help: string, value: (port: PortStats) => number) =>
    one(
      'counter',
      name,
      help,
      stats.map((port) => ({ labels: labelsOf(port.name, networks), value: value(port) })),
    )
  const queues = (port: PortStats, pick: (queue: PortStats['queues'][number]) => number) =>
    port.queues.reduce((sum, queue) => sum + pick(queue), 0)
  return [
    counter(
      'vhostkit_port_rx_frames_total',
      'Frames that the switch took from the port.',
      ({ rx }) => rx.frames,
    ),
    counter('vhostkit_port_rx_bytes_total', 'Bytes of the frames taken from the port.', ({ rx }) => rx.bytes),
    counter(
      'vhostkit_port_tx_frames_total',
      'Frames that were delivered to the port.',
      ({ tx }) => tx.frames,
    ),
    counter(
      'vhostkit_port_tx_bytes_total',
      'Bytes of the frames delivered to the port.',
      ({ tx }) => tx.bytes,
    ),
    one(
      'counter',
      'vhostkit_port_dropped_frames_total',
      'Frames from or to the port that were dropped, by reason.',
      stats.flatMap(({ name, drops }) =>
        Object.entries(drops).map(([reason, value]) => ({
          labels: { ...labelsOf(name, networks), reason },
          value,
        })),
      ),
    ),
    counter(
      'vhostkit_port_retried_frames_total',
      'Frames that found no buffer at first.',
      ({ retry }) => retry.tried,
    ),
    counter(
      'vhostkit_port_retry_delivered_frames_total',
      'Frames that found no buffer at first and were delivered in time.',
      ({ retry }) => retry.delivered,
    ),
    counter('vhostkit_port_kicks_total', 'Times that the guest woke the switch.', (port) =>
      queues(port, ({ kicks }) => kicks),
    ),
    counter('vhostkit_port_calls_total', 'Times that the switch interrupted the guest.', (port) =>
      queues(port, ({ calls }) => calls),
    ),
  ]
}

function portFamilies(ports: PortInfo[]): MetricFamily[] {
  const of = (pick: (port: PortInfo) => number | null | undefined): MetricSample[] =>
    ports.flatMap((port) => {
      const value = pick(port)
      const labels = { port: port.name, network: port.network }
      return value === null || value === undefined ? [] : [{ labels, value }]
    })
  return [
    one(
      'gauge',
      'vhostkit_port_state',
      '1 for the state that the port is in, 0 for the others.',
      ports.flatMap(({ name, network, state }) =>
        states.map((which) => ({
          labels: { port: name, network, state: which },
          value: which === state ? 1 : 0,
        })),
      ),
    ),
    one(
      'counter',
      'vhostkit_port_connects_total',
      'Sessions of a front end that were opened.',
      of(({ connects }) => connects),
    ),
    one(
      'gauge',
      'vhostkit_port_memory_bytes',
      'Memory of the guest that the switch has mapped.',
      of(({ memory }) => memory?.bytes),
    ),
    one(
      'gauge',
      'vhostkit_port_memory_node',
      "NUMA node of the guest's memory, -1 when unknown.",
      of(({ memory }) => memory?.node),
    ),
    one(
      'gauge',
      'vhostkit_port_remote_queues',
      "Queue pairs that are served from another node than the guest's memory.",
      of(({ memory }) => memory?.remote),
    ),
    one(
      'counter',
      'vhostkit_mirror_frames_total',
      "Frames copied into the port's mirror file.",
      of(({ mirror }) => mirror?.frames),
    ),
    one(
      'counter',
      'vhostkit_mirror_lost_frames_total',
      "Frames that are not in the port's mirror file.",
      of(({ mirror }) => mirror?.lost),
    ),
  ]
}

function workerFamilies(workers: WorkerInfo[]): MetricFamily[] {
  const of = (pick: (worker: WorkerInfo) => number): MetricSample[] =>
    workers.map((worker) => ({
      labels: { worker: String(worker.id), core: String(worker.core), node: String(worker.node) },
      value: pick(worker),
    }))
  return [
    one(
      'counter',
      'vhostkit_worker_busy_seconds_total',
      'Time in rounds that found work.',
      of(({ busy_ms }) => busy_ms / 1000),
    ),
    one(
      'counter',
      'vhostkit_worker_rounds_total',
      'Rounds of the loop.',
      of(({ rounds }) => rounds),
    ),
    one(
      'counter',
      'vhostkit_worker_sleeps_total',
      'Times that the worker went to sleep.',
      of(({ sleeps }) => sleeps),
    ),
    one(
      'gauge',
      'vhostkit_worker_load_ratio',
      'Share of the last second that it was busy, 0 to 1.',
      of(({ load }) => load / 1000),
    ),
    one(
      'gauge',
      'vhostkit_worker_queues',
      'Transmit queues that it serves.',
      of(({ queues }) => queues.length),
    ),
  ]
}

function labelsOf(port: string, networks: Map<string, string>): Record<string, string> {
  return { port, network: networks.get(port) ?? '' }
}

function one(type: MetricFamily['type'], name: string, help: string, samples: MetricSample[]): MetricFamily {
  return { name, type, help, samples }
}
