import type { Facts } from '../facts/facts.js'
import type { Spec } from '../spec/spec.js'
import type { Notes } from './notes.js'
import type { LibvirtPlan } from './plan.js'

/** How libvirt is reached, and who runs QEMU there; null with another driver. */
export function planLibvirt(spec: Spec, facts: Facts, notes: Notes): LibvirtPlan | null {
  if (spec.driver !== 'libvirt') return null
  if (facts.libvirt === null) {
    const expected = 'libvirt (virsh) for driver: libvirt'
    notes.refuse({ code: 'libvirt-missing', path: ['driver'], expected, found: 'no such program' })
  }
  const connect = planConnect(spec, facts, notes)
  return { connect, user: planUser(connect, facts, notes) }
}

function planConnect({ connect }: Spec, { uid }: Facts, notes: Notes): string {
  if (connect !== null) {
    notes.because('libvirt', connect, 'The spec or the command line says so.')
    return connect
  }
  const usual = uid === 0 ? 'qemu:///system' : 'qemu:///session'
  notes.because('libvirt', usual, uid === 0 ? 'This user is root.' : 'This user is not root.')
  return usual
}

/** The session instance runs QEMU as its own user, and so does a system instance set to root. */
function planUser(connect: string, { libvirt, uid }: Facts, notes: Notes): LibvirtPlan['user'] {
  const user = libvirt?.user ?? null
  if (connect.includes(':///session') || user === null || user.uid === uid) return null
  notes.because(
    'machine folders',
    `owned by ${user.name}`,
    'libvirt runs QEMU as that user, and QEMU makes its sockets there.',
  )
  return user
}
