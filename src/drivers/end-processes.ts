import { isAlive, type ProcessId, readProcess, sendSignal } from '../world/processes.js'
import { pause } from '../world/wait-for.js'

/** How long a process may take to end after SIGTERM, and after SIGKILL. */
const signalLimitMs = 1_000

/** Waits for processes to end by themselves, then SIGTERM, then SIGKILL. */
export async function endProcesses(pids: readonly number[], patienceMs: number): Promise<void> {
  // With their start times: a pid may be another process by the time of the signal.
  const found = await Promise.all(pids.map(readProcess))
  const processes = found.filter((process) => process !== null)
  if (await areGoneWithin(processes, patienceMs)) return
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const process of processes) if (await isAlive(process)) sendSignal(process.pid, signal)
    if (await areGoneWithin(processes, signalLimitMs)) return
  }
}

async function areGoneWithin(processes: readonly ProcessId[], limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs
  for (;;) {
    const alive = await Promise.all(processes.map(isAlive))
    if (!alive.includes(true)) return true
    if (performance.now() >= end) return false
    await pause(20)
  }
}
