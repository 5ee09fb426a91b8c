import type { MachineSpec } from '../spec/spec.js'
import type { Notes } from './notes.js'
import type { MachineSurroundings } from './plan-machine.js'

/** The bus of q35 has 32 places, of which the host bridge has the first and its chipset the last. */
const mostDevices = 30

/** Without libvirt, which adds bridges as needed, every card and virtio disk takes a place of the one bus. */
export function refuseManyDevices(machine: MachineSpec, { spec }: MachineSurroundings, notes: Notes): void {
  if (spec.driver !== 'qemu') return
  const { disks, interfaces, cloudInit } = machine
  const onVirtio = disks.filter(({ bus }) => bus === 'virtio').length
  const others = [
    { what: 'the controller of scsi disks', there: disks.some(({ bus }) => bus === 'scsi') },
    { what: 'the seed', there: cloudInit !== null },
    { what: "the guest agent's port", there: true },
  ].filter(({ there }) => there)
  const count = interfaces.length + onVirtio + others.length
  if (count <= mostDevices) return
  notes.refuse({
    code: 'devices-many',
    path: ['machines', spec.machines.indexOf(machine)],
    expected: `at most ${mostDevices} PCI devices`,
    found: `${count}: ${interfaces.length} interfaces, ${onVirtio} virtio disks, ${others.map(({ what }) => what).join(', ')}`,
  })
}
