import { showTable } from '../core/render/show-table.js'
import { percentile } from './percentile.js'

/** What `vhostkit demo --json` prints. */
export interface DemoResult {
  driver: string
  accel: string
  memory: string
  /** From QEMU's start to the ready guest, in the order of the spec. */
  boot_ms: number[]
  ping: { sent: number; received: number; rtt_avg_ms: number | null }
  host_ping: { sent: number; received: number }
  reconnect: {
    kills: number
    outage_ms: { p50: number; max: number }
    /** The longer of the two guests' gaps, one for each kill. */
    each: number[]
    lost: number
    duplicates: number
  }
  vm_restart_ms: number
  left_behind: string[]
  ok: boolean
}

export function summarizeOutages(
  outages: { gapMs: number; lost: number; duplicates: number }[],
): DemoResult['reconnect'] {
  const each = outages.map(({ gapMs }) => round(gapMs))
  return {
    kills: outages.length,
    outage_ms: { p50: percentile(each, 50), max: Math.max(0, ...each) },
    each,
    lost: outages.reduce((sum, { lost }) => sum + lost, 0),
    duplicates: outages.reduce((sum, { duplicates }) => sum + duplicates, 0),
  }
}

/** Everything that had to work did, and nothing is left. */
export function isOk(result: Omit<DemoResult, 'ok'>, killsWanted: number): boolean {
  const { ping, host_ping, reconnect, left_behind } = result
  const answered = ping.sent > 0 && ping.received === ping.sent && host_ping.sent > 0
  return (
    answered &&
    host_ping.received === host_ping.sent &&
    reconnect.kills === killsWanted &&
    left_behind.length === 0
  )
}

export function showResult(result: DemoResult): string {
  const { ping, host_ping, reconnect, left_behind } = result
  const rtt = ping.rtt_avg_ms === null ? '' : `, ${ping.rtt_avg_ms} ms on average`
  const rows = [
    ['driver, accelerator, memory', `${result.driver}, ${result.accel}, ${result.memory}`],
    ['boot', result.boot_ms.map((ms) => `${seconds(ms)}`).join(', ')],
    ['ping machine to machine', `${ping.received} of ${ping.sent} answered${rtt}`],
    ['ping host to machine', `${host_ping.received} of ${host_ping.sent} answered`],
    [
      `switch killed ${showTimes(reconnect.kills)}`,
      `outage ${reconnect.outage_ms.p50} ms median, ${reconnect.outage_ms.max} ms worst`,
    ],
    ['probes lost, repeated', `${reconnect.lost}, ${reconnect.duplicates}`],
    ['machine killed and started', `${seconds(result.vm_restart_ms)} until it answered again`],
    ['left behind', left_behind.length === 0 ? 'nothing' : left_behind.join(', ')],
    ['result', result.ok ? 'ok' : 'NOT OK'],
  ]
  return showTable(rows)
}

export function showTimes(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

export function round(ms: number): number {
  return Math.round(ms * 10) / 10
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
