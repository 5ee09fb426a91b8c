import type { SwitchEvent } from '../../drivers/switch/protocol.js'

/** An event of the switch with the time of day, or what the follower itself saw of the switch. */
export type WatchedEvent =
  | (SwitchEvent & { time: string })
  | { time: string; type: 'switch.away'; why: string }
  | { time: string; type: 'switch.back'; pid: number; starts: number }

/** One line for people: time of day (UTC), what, which port, and the rest as words. */
export function showEvent(event: WatchedEvent): string {
  const { time, type, ...rest } = event
  const columns = [time.slice(11, 23), type.padEnd(17)]
  if (event.type === 'switch.away' || event.type === 'switch.back') {
    return [...columns, describeWatch(event)].join('  ')
  }
  const { seq: _seq, time_ms: _time, port, why, ...numbers } = rest as SwitchEvent
  const details = Object.entries(numbers).map(([key, value]) => `${key.replace('_', ' ')} ${value}`)
  const words = [details.join(', '), why ?? ''].filter((text) => text !== '').join(': ')
  return [...columns, ...(port === undefined ? [] : [port]), words].join('  ').trimEnd()
}

function describeWatch(event: WatchedEvent): string {
  if ('pid' in event) return `pid ${event.pid}, start ${event.starts}; what happened meanwhile is not known`
  return 'why' in event ? `${event.why}; waiting for it` : ''
}
