import type { MachinePlan } from '../../plan/plan.js'
import { element, type XmlElement } from '../../xml/xml.js'
import { renderSet } from './number-set.js'

/**
 * vCPUs on the CPUs of their node, and QEMU's own threads on those of all nodes
 * of the machine, since they allocate its memory. null when nothing is bound.
 */
export function renderCpuTune({ memory, hostCpus, domain }: MachinePlan): XmlElement | null {
  const pins = memory.cells.flatMap(({ cpus }, index) => {
    const allowed = domain?.cellCpus[index] ?? []
    if (allowed.length === 0) return []
    return cpus.map((vcpu) => element('vcpupin', { vcpu, cpuset: renderSet(allowed) }))
  })
  const emulator = hostCpus.length === 0 ? null : element('emulatorpin', { cpuset: renderSet(hostCpus) })
  return pins.length === 0 && emulator === null ? null : element('cputune', {}, ...pins, emulator)
}
