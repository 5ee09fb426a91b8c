import { pause } from '../../world/wait-for.js'
import { SwitchClient } from './client.js'
import type { SwitchEvent, SwitchInfo } from './protocol.js'

/** What a follower hears, in order. */
export interface EventFollower {
  event(event: SwitchEvent): void
  /** The connection is lost; what happens until `back` is not heard of. */
  away(why: string): void
  back(info: SwitchInfo): void
}

/** Between two tries to reach a switch that is away. */
const retryMs = 200

/**
 * Follows the events of a switch until the signal. One that restarts is found again; one that was never
 * there is an error. Resolves when the signal aborts.
 */
export async function followEvents(
  control: string,
  follower: EventFollower,
  signal: AbortSignal,
): Promise<void> {
  let connection = await connect(control, follower)
  while (!signal.aborted) {
    const why = await connection.ended(signal)
    if (why === null) break
    follower.away(why)
    const again = await reconnect(control, follower, signal)
    if (again === null) return
    connection = again
    follower.back(connection.info)
  }
  connection.close()
}

interface Connection {
  info: SwitchInfo
  /** Why it ended; null when the signal came first. */
  ended(signal: AbortSignal): Promise<string | null>
  close(): void
}

async function connect(control: string, follower: EventFollower): Promise<Connection> {
  const client = await SwitchClient.connect(control)
  try {
    const info = await client.call('switch.info')
    let end: (why: string) => void = () => undefined
    const over = new Promise<string>((resolve) => {
      end = resolve
    })
    await client.subscribe(follower.event, () => end('the connection was closed'))
    return { info, ended: (signal) => Promise.race([over, aborted(signal)]), close: () => client.close() }
  } catch (error) {
    client.close()
    throw error
  }
}

async function reconnect(
  control: string,
  follower: EventFollower,
  signal: AbortSignal,
): Promise<Connection | null> {
  for (;;) {
    await pause(retryMs, signal).catch(() => undefined)
    if (signal.aborted) return null
    const connection = await connect(control, follower).catch(() => null)
    if (connection !== null) return connection
  }
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null)
    signal.addEventListener('abort', () => resolve(null), { once: true })
  })
}
