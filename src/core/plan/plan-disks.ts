import type { Facts, ImageFact } from '../facts/facts.js'
import { diskFile } from '../spec/names.js'
import { showSize } from '../spec/size.js'
import type { DiskSpec, MachineSpec } from '../spec/spec.js'
import type { Notes } from './notes.js'
import type { DiskPlan } from './plan.js'
import { planBootOrder } from './plan-boot.js'
import type { MachineSurroundings } from './plan-machine.js'

/** One disk that is planned, and where it stands in the spec. */
interface DiskPlace {
  disk: DiskSpec
  path: (string | number)[]
  subject: string
}

/** The disks of a machine: what QEMU opens for each, and what must be made for it. */
export function planDisks(
  machine: MachineSpec,
  folder: string,
  { spec, facts }: MachineSurroundings,
  notes: Notes,
): DiskPlan[] {
  const order = planBootOrder(machine)
  refuseManySataDisks(machine, ['machines', spec.machines.indexOf(machine), 'disks'], notes)
  const places = { virtio: 0, other: 0 }
  return machine.disks.map((disk, index) => {
    const path = ['machines', spec.machines.indexOf(machine), 'disks', index]
    const place = { disk, path, subject: `machine ${machine.name} disk ${index}` }
    const target = diskTarget(disk.bus, disk.bus === 'virtio' ? places.virtio++ : places.other++)
    return {
      index,
      ...planFile(place, diskFile(folder, index), facts, notes),
      device: disk.use === 'cdrom' ? ('cdrom' as const) : ('disk' as const),
      bus: disk.bus,
      target,
      readonly: disk.use === 'readonly' || disk.use === 'cdrom',
      bootOrder: order[index] ?? null,
    }
  })
}

/** The AHCI controller of q35 has so many ports. */
const mostSataDisks = 6

function refuseManySataDisks({ disks }: MachineSpec, path: DiskPlace['path'], notes: Notes): void {
  const count = disks.filter(({ bus }) => bus === 'sata').length
  if (count <= mostSataDisks) return
  const expected = `at most ${mostSataDisks} disks and CDs on sata`
  notes.refuse({ code: 'spec-value', path, expected, found: `${count}` })
}

/** vda, vdb, … on virtio; sda, sdb, … on all else. */
export function diskTarget(bus: 'virtio' | 'sata' | 'scsi', place: number): string {
  return `${bus === 'virtio' ? 'vd' : 'sd'}${String.fromCharCode('a'.charCodeAt(0) + place)}`
}

type DiskFile = Pick<DiskPlan, 'path' | 'format' | 'backing' | 'make'>

function planFile(place: DiskPlace, own: string, facts: Facts, notes: Notes): DiskFile {
  const { disk, path } = place
  const image = disk.image === null ? null : planImage(place, disk.image, facts, notes)
  if (disk.use !== 'own') {
    return { path: disk.image ?? '', format: image?.format ?? 'raw', backing: null, make: null }
  }
  if (!facts.makers.includes('qemu-img')) {
    notes.refuse({
      code: 'maker-missing',
      path,
      expected: 'qemu-img, which makes disks',
      found: 'no such program',
    })
  }
  const backing = disk.image === null ? null : { path: disk.image, format: image?.format ?? 'raw' }
  const wanted = disk.sizeBytes
  if (wanted !== null && image !== null && wanted < image.bytes) {
    const expected = `at least the ${showSize(image.bytes)} of the image`
    notes.refuse({ code: 'image-size', path: [...path, 'size'], expected, found: showSize(wanted) })
  }
  const existing = facts.images.find((other) => other.path === own)
  if (existing !== undefined) compareExisting(place, existing, backing?.path ?? null, notes)
  notes.because(place.subject, own, describeOwn(backing?.path ?? null, existing !== undefined))
  return { path: own, format: 'qcow2', backing, make: { bytes: wanted } }
}

function describeOwn(backing: string | null, isThere: boolean): string {
  const what = isThere ? 'It is there already, with what the guest wrote' : 'A new disk of its own'
  return backing === null ? `${what}.` : `${what}; ${backing} below it stays as it is.`
}

/** The image as it will be opened; null when it cannot be. */
function planImage({ disk, path }: DiskPlace, image: string, facts: Facts, notes: Notes) {
  const fact = facts.images.find((other) => other.path === image)
  const at = [...path, disk.use === 'cdrom' ? 'cdrom' : 'image']
  if (fact === undefined || fact.fault !== null) {
    const found = `${image}: ${fact?.fault ?? 'no such file'}`
    notes.refuse({
      code: fact === undefined ? 'image-missing' : 'image-unusable',
      path: at,
      expected: 'an image',
      found,
    })
    return null
  }
  if (disk.use === 'cdrom') return { ...fact, format: 'raw' as const }
  if (fact.backing !== null) {
    // The name may be of any file of the host, and it comes from whoever made the image.
    const found = `${image}, which lies over ${fact.backing}`
    notes.refuse({ code: 'image-unusable', path: at, expected: 'an image that is whole by itself', found })
  }
  return { ...fact, format: chooseFormat(disk, fact, path, notes) }
}

/** A guest that writes a raw image could write the header of another format into it, naming any file of the host. */
function chooseFormat(
  disk: DiskSpec,
  fact: ImageFact,
  path: DiskPlace['path'],
  notes: Notes,
): ImageFact['format'] {
  if (disk.format === null && disk.use === 'direct') {
    notes.refuse({
      code: 'image-format',
      path: [...path, 'format'],
      expected: `the format of an image that the guest writes itself (${fact.format} as it is now)`,
      found: 'nothing',
    })
  }
  if (disk.format === 'qcow2' && fact.format === 'raw') {
    const found = `${fact.path}, which has no header of that format`
    notes.refuse({ code: 'image-format', path: [...path, 'format'], expected: 'a qcow2 image', found })
  }
  return disk.format ?? fact.format
}

/** A disk that an earlier apply made holds data of the guest: it is used again only as what it is. */
function compareExisting(
  { disk, path }: DiskPlace,
  existing: ImageFact,
  backing: string | null,
  notes: Notes,
): void {
  const own = existing.path
  const refuse = (expected: string, found: string) =>
    notes.refuse({ code: 'disk-differs', path, expected, found })
  if (existing.fault !== null) refuse(`${own} to be a disk of ours`, existing.fault)
  else if (existing.backing !== backing) {
    refuse(`${own} over ${backing ?? 'nothing'}`, `it lies over ${existing.backing ?? 'nothing'}`)
  } else if (disk.sizeBytes !== null && disk.sizeBytes !== existing.bytes) {
    refuse(`${own} of ${showSize(disk.sizeBytes)}`, showSize(existing.bytes))
  }
}
