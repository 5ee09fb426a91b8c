import type { MachineArtifact } from '../../core/render/artifacts.js'
import { removeFile } from '../../world/files.js'
import { isAlive } from '../../world/processes.js'
import { pause } from '../../world/wait-for.js'
import { endProcesses } from '../end-processes.js'
import { readRunningPid } from './pid-file.js'
import { QmpClient } from './qmp.js'

const monitorLimitMs = 1_000
const quitLimitMs = 2_000

/** Ends a machine: the power button, then the monitor's quit, then signals; each with its limit. */
export async function stopMachine(
  machine: MachineArtifact,
  graceMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const pid = await readRunningPid(machine.pidFile, machine.qmpSocket)
  if (pid !== null) {
    await askToEnd(machine, pid, graceMs, signal)
    await endProcesses([pid], 0)
  }
  await removeFile(machine.pidFile)
}

async function askToEnd(
  machine: MachineArtifact,
  pid: number,
  graceMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const monitor = await QmpClient.connect(machine.qmpSocket, monitorLimitMs).catch(() => null)
  if (monitor === null) return
  try {
    if (graceMs > 0) {
      await monitor.call('system_powerdown', {}, monitorLimitMs)
      if (await isGoneWithin(pid, graceMs, signal)) return
    }
    await monitor.call('quit', {}, monitorLimitMs)
    await isGoneWithin(pid, quitLimitMs)
  } catch {
    // A monitor that breaks off is a QEMU that ends, or one for the signals.
  } finally {
    monitor.close()
  }
}

/** An abort ends the patience, not the stop: the machine is then ended at once. */
async function isGoneWithin(pid: number, limitMs: number, signal?: AbortSignal): Promise<boolean> {
  const end = performance.now() + limitMs
  while (performance.now() < end && !signal?.aborted) {
    if (!(await isAlive(pid))) return true
    await pause(30)
  }
  return !(await isAlive(pid))
}
