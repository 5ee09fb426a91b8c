import type { MachinePlan, Plan } from '../../plan/plan.js'
import { renderXml } from '../../xml/render-xml.js'
import { element } from '../../xml/xml.js'
import { renderChannel } from './channel.js'
import { renderCpu } from './cpu.js'
import { renderCpuTune } from './cputune.js'
import { renderDisks } from './disks.js'
import { renderInterface } from './interface.js'
import { renderMemoryBacking } from './memory-backing.js'
import { renderMetadata } from './metadata.js'
import { renderNumaTune } from './numatune.js'
import { renderOs } from './os.js'
import { qemuNamespace, renderCommandLine, renderOverride } from './override.js'
import { renderSerial } from './serial.js'

/** The definition of one machine for libvirt; its parts in the order that libvirt writes them. */
export function renderDomain(plan: Plan, machine: MachinePlan): string {
  const override = renderOverride(machine)
  const commandLine = renderCommandLine(plan)
  const root = element(
    'domain',
    {
      type: plan.accel === 'kvm' ? 'kvm' : 'qemu',
      'xmlns:qemu': override === null && commandLine === null ? null : qemuNamespace,
    },
    element('name', {}, machine.domain?.name ?? machine.name),
    element('uuid', {}, machine.uuid),
    renderMetadata(plan, machine),
    element('memory', { unit: 'KiB' }, String(machine.memory.bytes / 1024)),
    renderMemoryBacking(machine),
    element('vcpu', { placement: 'static' }, String(machine.cpus)),
    renderCpuTune(machine),
    renderNumaTune(machine),
    renderOs(machine),
    element('features', {}, element('acpi'), element('apic')),
    renderCpu(plan, machine),
    element('on_poweroff', {}, 'destroy'),
    element('on_reboot', {}, 'restart'),
    element('on_crash', {}, 'destroy'),
    element(
      'devices',
      {},
      element('emulator', {}, plan.qemu),
      element('controller', { type: 'usb', model: 'none' }),
      ...renderDisks(machine),
      ...machine.interfaces.map(renderInterface),
      renderSerial(machine),
      renderChannel(),
      element('memballoon', { model: 'none' }),
    ),
    commandLine,
    override,
  )
  return renderXml(root)
}
