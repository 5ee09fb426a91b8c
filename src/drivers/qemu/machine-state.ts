import type { MachineArtifact } from '../../core/render/artifacts.js'
import type { Live } from '../../core/steps/steps.js'
import { readArguments } from '../../world/processes.js'
import { readRunningPid } from './pid-file.js'

/** What runs of a machine now. */
export async function readMachine(machine: MachineArtifact): Promise<Live['machines'][number]> {
  const pid = await readRunningPid(machine.pidFile, machine.qmpSocket)
  return {
    name: machine.name,
    running: pid !== null,
    pid: pid ?? 0,
    argv: pid === null ? null : await readArguments(pid),
  }
}
