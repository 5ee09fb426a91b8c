import type { DiskPlan, MachinePlan } from '../../plan/plan.js'
import { element, type XmlElement } from '../../xml/xml.js'
import { renderSeed } from '../storage/seed.js'

/** Disks, CDs and the seed, with the controller that disks on SCSI need. */
export function renderDisks(machine: MachinePlan): XmlElement[] {
  const { storage } = machine
  if (storage === undefined) return []
  const seed = renderSeed(machine)
  const scsi = storage.disks.some(({ bus }) => bus === 'scsi')
  return [
    ...storage.disks.map(renderDisk),
    ...(seed === null || storage.cloudInit === null
      ? []
      : [renderSeedDisk(seed.path, storage.cloudInit.target)]),
    ...(scsi ? [element('controller', { type: 'scsi', index: 0, model: 'virtio-scsi' })] : []),
  ]
}

function renderDisk({
  path,
  format,
  backing,
  device,
  bus,
  target,
  readonly,
  bootOrder,
}: DiskPlan): XmlElement {
  return element(
    'disk',
    { type: 'file', device },
    element('driver', { name: 'qemu', type: format, discard: readonly ? null : 'unmap' }),
    element('source', { file: path }),
    renderBacking(format, backing),
    element('target', { dev: target, bus }),
    readonly ? element('readonly') : null,
    bootOrder === null ? null : element('boot', { order: bootOrder }),
  )
}

/** Said outright, down to its end, so that nobody believes the headers of images. */
function renderBacking(format: DiskPlan['format'], backing: DiskPlan['backing']): XmlElement | null {
  if (backing === null) return format === 'raw' ? null : element('backingStore')
  return element(
    'backingStore',
    { type: 'file' },
    element('format', { type: backing.format }),
    element('source', { file: backing.path }),
    element('backingStore'),
  )
}

function renderSeedDisk(path: string, target: string): XmlElement {
  return element(
    'disk',
    { type: 'file', device: 'disk' },
    element('driver', { name: 'qemu', type: 'raw' }),
    element('source', { file: path }),
    element('target', { dev: target, bus: 'virtio' }),
    element('readonly'),
  )
}
