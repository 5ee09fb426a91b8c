import { VhostkitError } from '../core/errors.js'
import { readPorts } from '../drivers/switch/ports.js'
import { peekSwitch } from '../drivers/switch/process.js'
import { sendSignal } from '../world/processes.js'
import { pause, waitFor } from '../world/wait-for.js'
import type { GuestSession } from './guest/guest-session.js'

/** A supervisor, a reload and a reconnect take milliseconds; this is far beyond. */
const backLimitMs = 15_000
/** Probes before and after, so that a gap has both ends. */
const settleMs = 400

/** Its supervisor waits ever longer before it starts a switch that keeps dying within a second. */
const leastUptimeMs = 1_200

export interface Outage {
  gapMs: number
  lost: number
  duplicates: number
}

/** Kills the switch under running probes and waits until both guests hear each other again. */
export async function killSwitchOnce(
  control: string,
  guests: GuestSession[],
  signal: AbortSignal,
): Promise<Outage> {
  await waitFor({ what: 'the switch to have run a while', limitMs: backLimitMs, signal }, async () => {
    return ((await peekSwitch(control, 3_000))?.uptime_ms ?? 0) > leastUptimeMs
  })
  await Promise.all(guests.map((guest) => guest.markProbe()))
  await pause(settleMs, signal)
  // The switch, not its supervisor: that is what a crash would take.
  const victim = (await peekSwitch(control, 3_000))?.pid
  if (victim === undefined || !sendSignal(victim, 'SIGKILL')) {
    throw new VhostkitError('demo-failed', { sentence: 'There is no switch to kill.' })
  }
  await waitFor(
    { what: 'the switch to be back with all ports up', limitMs: backLimitMs, everyMs: 20, signal },
    async () => {
      const info = await peekSwitch(control, 3_000)
      if (info === null || info.pid === victim) return false
      const ports = await readPorts(control).catch(() => [])
      return ports.length === info.ports && ports.every(({ state }) => state === 'up')
    },
  )
  await Promise.all(guests.map((guest) => hearsAgain(guest, signal)))
  await pause(settleMs, signal)
  const reports = await Promise.all(guests.map((guest) => guest.markProbe()))
  return {
    gapMs: Math.max(...reports.map(({ gapMs }) => gapMs)),
    lost: reports.reduce((sum, { lost }) => sum + lost, 0),
    duplicates: reports.reduce((sum, { duplicates }) => sum + duplicates, 0),
  }
}

/** New answers since now: those on their way at the kill do not count. */
export async function hearsAgain(
  guest: GuestSession,
  signal: AbortSignal,
  limitMs = backLimitMs,
): Promise<void> {
  const before = (await guest.probeStatus()).answered
  await waitFor({ what: `${guest.name} to hear its peer again`, limitMs, everyMs: 50, signal }, async () => {
    return (await guest.probeStatus()).answered > before
  })
}
