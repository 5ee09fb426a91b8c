import type { SwitchClient } from './client.js'
import type { PortInfo, PortStats, SwitchInfo, WorkerInfo } from './protocol.js'

/** Everything the switch says of itself at one time; its `uptime_ms` is the clock of its counters. */
export interface Sample {
  info: SwitchInfo
  ports: PortInfo[]
  stats: PortStats[]
  workers: WorkerInfo[]
}

/** Asked for at once, so that the counters are as near to the clock as they can be. */
export async function readSample(client: SwitchClient): Promise<Sample> {
  const [info, { ports: stats }, { ports }, { workers }] = await Promise.all([
    client.call('switch.info'),
    client.call('stats.get'),
    client.call('port.list'),
    client.call('worker.list'),
  ])
  return { info, ports, stats, workers }
}
