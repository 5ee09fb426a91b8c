import { VhostkitError } from '../core/errors.js'
import type { UplinkFact } from '../core/facts/facts.js'
import type { MachineArtifact } from '../core/render/artifacts.js'
import { readDomainState } from '../drivers/libvirt/read-domain.js'
import { readMachine } from '../drivers/machines.js'
import { QmpClient } from '../drivers/qemu/qmp.js'
import { type InterfaceStatus, interfacesOf, type SwitchView } from './interface-status.js'
import { type NetworkStatus, readNetworkStatus } from './network-status.js'
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
  interfaces: InterfaceStatus[]
  /** Those for which the host does something. */
  networks: NetworkStatus[]
  reserved: Receipt['reserved']
}

/** What runs of a deployment that was applied. */
export async function readStatus(
  receipt: Receipt,
  view: SwitchView | null,
  uplink: UplinkFact | null = null,
): Promise<DeploymentStatus> {
  const { deployment, status, operation, time, spec, reserved } = receipt
  const machines = await readMachines(receipt)
  const interfaces = interfacesOf(receipt, view, uplink)
  const networks = await readNetworkStatus(receipt.artifacts)
  return { deployment, status, operation, time, spec: spec.path, machines, interfaces, networks, reserved }
}

/** The machines of a deployment, each as it is now. */
export function readMachines(receipt: Receipt): Promise<MachineStatus[]> {
  return Promise.all(
    knownArtifacts(receipt).machines.map(async (machine): Promise<MachineStatus> => {
      // A libvirt that is away must not hide all the rest.
      const live = await readMachine(machine).catch((error: unknown) => {
        if (error instanceof VhostkitError && error.code === 'libvirt-unreachable') return null
        throw error
      })
      const { name, consoleSocket } = machine
      if (live === null) return { name, running: false, pid: 0, state: 'no answer', console: consoleSocket }
      const { running, pid } = live
      return { name, running, pid, state: running ? await readState(machine) : 'off', console: consoleSocket }
    }),
  )
}

async function readState({ domain, qmpSocket }: MachineArtifact): Promise<string> {
  if (domain === undefined) return readRunState(qmpSocket)
  return (await readDomainState(domain)) ?? 'off'
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
