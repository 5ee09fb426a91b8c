import type { MachinePlan } from '../../plan/plan.js'
import { renderOptions } from './options.js'

/** Where a guest agent answers when the guest has one. */
export function renderChannel({ agentSocket }: MachinePlan): string[] {
  return [
    '-chardev',
    renderOptions('socket', { id: 'agent', path: agentSocket, server: true, wait: false }),
    '-device',
    'virtio-serial-pci',
    '-device',
    renderOptions('virtserialport', { chardev: 'agent', name: 'org.qemu.guest_agent.0' }),
  ]
}
