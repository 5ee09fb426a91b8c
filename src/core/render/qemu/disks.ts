import type { DiskPlan, MachinePlan } from '../../plan/plan.js'
import { renderSeed } from '../storage/seed.js'
import { renderOptions } from './options.js'

/** Disks, CDs and the seed. What a file is called stands in JSON, where no character of it means anything. */
export function renderDisks(machine: MachinePlan): string[] {
  const disks = machine.storage?.disks ?? []
  const seed = renderSeed(machine)
  const scsi = disks.some(({ bus }) => bus === 'scsi')
  const sata = disks.filter(({ bus }) => bus === 'sata')
  return [
    ...(scsi ? ['-device', renderOptions('virtio-scsi-pci', { id: 'scsi0' })] : []),
    ...disks.flatMap((disk) => renderDisk(disk, sata.indexOf(disk))),
    ...(seed === null ? [] : renderSeedDisk(seed.path)),
  ]
}

function renderDisk(disk: DiskPlan, sataPort: number): string[] {
  const { index, path, format, backing, device, bus, readonly, bootOrder } = disk
  const node = `disk${index}`
  const kind = device === 'cdrom' ? 'cd' : 'hd'
  const model = { virtio: 'virtio-blk-pci', sata: `ide-${kind}`, scsi: `scsi-${kind}` }[bus]
  const buses = { virtio: null, sata: `ide.${sataPort}`, scsi: 'scsi0.0' }
  return [
    '-blockdev',
    JSON.stringify({
      ...renderFile(path, format, readonly),
      'node-name': node,
      ...(readonly ? {} : { discard: 'unmap' }),
      // Said outright, down to its end, so that nobody believes the headers of images.
      ...(backing !== null
        ? { backing: { ...renderFile(backing.path, backing.format, true), ...endOf(backing.format) } }
        : endOf(format)),
    }),
    '-device',
    renderOptions(model, { bus: buses[bus], drive: node, id: `drive${index}`, bootindex: bootOrder }),
  ]
}

function renderFile(filename: string, driver: DiskPlan['format'], readonly: boolean) {
  return { driver, 'read-only': readonly, file: { driver: 'file', filename, 'read-only': readonly } }
}

/** Only qcow2 knows what it lies over. */
function endOf(format: DiskPlan['format']): { backing?: null } {
  return format === 'qcow2' ? { backing: null } : {}
}

function renderSeedDisk(path: string): string[] {
  return [
    '-blockdev',
    JSON.stringify({ ...renderFile(path, 'raw', true), 'node-name': 'seed' }),
    '-device',
    renderOptions('virtio-blk-pci', { drive: 'seed', id: 'cidata' }),
  ]
}
