import { isAlive, sendSignal } from '../world/processes.js'
import { pause } from '../world/wait-for.js'

/** How long a process may take to end after SIGTERM, and after SIGKILL. */
const signalLimitMs = 1_000

/** Waits for processes to end by themselves, then SIGTERM, then SIGKILL. */
export async function endProcesses(pids: readonly number[], patienceMs: number): Promise<void> {
  if (await areGoneWithin(pids, patienceMs)) return
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const pid of pids) if (await isAlive(pid)) sendSignal(pid, signal)
    if (await areGoneWithin(pids, signalLimitMs)) return
  }
}

async function areGoneWithin(pids: readonly number[], limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs
  for (;;) {
    const alive = await Promise.all(pids.map((pid) => isAlive(pid)))
    if (!alive.includes(true)) return true
    if (performance.now() >= end) return false
    await pause(20)
  }
}
