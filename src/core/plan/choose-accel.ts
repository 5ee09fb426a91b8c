import type { Facts } from '../facts/facts.js'
import type { Notes } from './notes.js'
import type { Plan } from './plan.js'

/** KVM only where a guest really runs with it. */
export function chooseAccel({ kvm }: Facts, notes: Notes): Plan['accel'] {
  notes.because('accelerator', kvm.usable ? 'kvm' : 'tcg', kvm.why)
  if (kvm.usable) return 'kvm'
  notes.because(
    'interrupts',
    'INTx',
    'QEMU 7.2 crashes under TCG when a vhost-user card uses MSI-X, so cards get 0 vectors.',
  )
  return 'tcg'
}
