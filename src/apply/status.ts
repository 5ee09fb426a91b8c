import { readMachine } from '../drivers/qemu/machine-state.js'
import { QmpClient } from '../drivers/qemu/qmp.js'
import { knownArtifacts, type Receipt } from './receipt.js'

export interface MachineStatus {
  name: string
  running: boolean
  pid: number
  /** What QEMU says: running, paused …; "no answer" when its monitor is silent, "off" without QEMU. */
  state: string
  console: string
}

export interface DeploymentStatus {
  deployment: string
  status: Receipt['status']
  operation: string
  time: string
  spec: string
  machines: MachineStatus[]
  reserved: Receipt['reserved']
}

/** What runs of a deployment that was applied. */
export async function readStatus(receipt: Receipt): Promise<DeploymentStatus> {
  const { deployment, status, operation, time, spec, reserved } = receipt
  const machines = await Promise.all(
    knownArtifacts(receipt).machines.map(async (machine): Promise<MachineStatus> => {
      const { name, running, pid } = await readMachine(machine)
      const state = running ? await readRunState(machine.qmpSocket) : 'off'
      return { name, running, pid, state, console: machine.consoleSocket }
    }),
  )
  return { deployment, status, operation, time, spec: spec.path, machines, reserved }
}

async function readRunState(qmpSocket: string): Promise<string> {
  const monitor = await QmpClient.connect(qmpSocket, 1_000).catch(() => null)
  if (monitor === null) return 'no answer'
  try {
    return (await monitor.call<{ status: string }>('query-status', {}, 1_000)).status
  } catch {
    return 'no answer'
  } finally {
    monitor.close()
  }
}
