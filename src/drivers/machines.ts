import type { MachineArtifact } from '../core/render/artifacts.js'
import type { LiveMachine } from '../core/steps/steps.js'
import { readDomainMachine } from './libvirt/read-domain.js'
import { startDomain } from './libvirt/start-domain.js'
import { stopDomain } from './libvirt/stop-domain.js'
import { readMachine as readProcess } from './qemu/machine-state.js'
import { startMachine as startProcess } from './qemu/start-machine.js'
import { stopMachine as stopProcess } from './qemu/stop-machine.js'

/** What exists of a machine: a process of ours, or a domain of libvirt. */
export async function readMachine(machine: MachineArtifact): Promise<LiveMachine> {
  return machine.domain === undefined ? readProcess(machine) : readDomainMachine(machine, machine.domain)
}

export async function startMachine(machine: MachineArtifact, signal?: AbortSignal): Promise<void> {
  if (machine.domain === undefined) await startProcess(machine, signal)
  else await startDomain(machine, machine.domain, signal)
}

export async function stopMachine(
  machine: MachineArtifact,
  graceMs: number,
  signal?: AbortSignal,
): Promise<void> {
  if (machine.domain === undefined) await stopProcess(machine, graceMs, signal)
  else await stopDomain(machine.domain, graceMs, signal)
}
