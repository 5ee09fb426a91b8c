import type { MachineSpec } from '../spec/spec.js'
import type { Notes } from './notes.js'
import type { BootPlan } from './plan.js'
import type { MachineSurroundings } from './plan-machine.js'

const fromDisks: BootPlan = { kernel: '', initrd: '', cmdline: '' }

/** What a machine boots: what the spec says, else its disks, else the default kernel. */
export function planBoot(machine: MachineSpec, around: MachineSurroundings, notes: Notes): BootPlan {
  const { spec, facts, defaultBoot } = around
  const { boot, disks, name } = machine
  const path = ['machines', spec.machines.indexOf(machine), 'boot']
  if (boot === 'disk' || boot === 'cdrom') {
    const wanted = disks.some(({ use }) => (use === 'cdrom') === (boot === 'cdrom'))
    if (!wanted)
      notes.refuse({ code: 'boot-missing', path, expected: `a ${boot} to boot from`, found: 'none' })
    return fromDisks
  }
  if (boot !== null) {
    for (const key of ['kernel', 'initrd'] as const) {
      if (!facts.missing?.includes(boot[key])) continue
      const found = `${boot[key]}: no such file`
      notes.refuse({ code: 'image-missing', path: [...path, key], expected: 'a file', found })
    }
    return boot
  }
  if (disks.some(({ image }) => image !== null)) {
    notes.because(`machine ${name} boot`, 'its disks', 'The spec names no kernel for it.')
    return fromDisks
  }
  if (defaultBoot !== null) return defaultBoot
  notes.refuse({ code: 'boot-missing', path, expected: 'a kernel or a disk to boot', found: 'none' })
  return fromDisks
}

/**
 * The place of each disk in the boot order, from 1: disks before CDs, or after them when CDs were asked for.
 * Disks with an image come before empty ones: a BIOS tries no more than the first disk.
 */
export function planBootOrder({ boot, disks }: MachineSpec): (number | null)[] {
  const fromKernel = boot !== null && typeof boot !== 'string'
  if (fromKernel || !disks.some(({ image }) => image !== null || boot === 'disk'))
    return disks.map(() => null)
  const rank = ({ use, image }: MachineSpec['disks'][number]) => {
    if (use === 'cdrom') return boot === 'cdrom' ? 0 : 3
    return image === null ? 2 : 1
  }
  const ordered = [...disks].sort((a, b) => rank(a) - rank(b))
  return disks.map((disk) => ordered.indexOf(disk) + 1)
}
