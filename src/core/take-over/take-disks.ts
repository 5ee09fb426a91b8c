import { isStoredFile } from '../spec/names.js'
import { showSize } from '../spec/size.js'
import { attributeOf, elementsOf, find, type XmlElement } from '../xml/xml.js'
import type { Taking } from './take-over.js'
import { type GuestNetwork, takeSeed } from './take-seed.js'

/** A disk as it stands in a spec. */
export interface DiskEntry {
  image?: string
  cdrom?: string
  format?: string
  size?: string
  overlay?: false
  readonly?: true
  bus?: string
}

export interface TakenDisks {
  disks: DiskEntry[]
  cloudInit: Record<string, unknown> | null
  /** What a seed of ours says of the guest's cards. */
  guestNetwork: GuestNetwork
}

/** The disks of a domain, in the order of their names; the guest goes on writing what it wrote. */
export function takeDisks(taking: Taking): TakenDisks {
  const devices = find(taking.domain, 'devices')
  const all = devices === null ? [] : elementsOf(devices, 'disk')
  const seed = all.find((disk) => isOwn(taking, disk) && fileOf(disk).endsWith('.iso')) ?? null
  const disks = all.filter((disk) => disk !== seed).flatMap((disk) => takeDisk(taking, disk))
  if (disks.length > 16)
    taking.leave(`${disks.length - 16} of ${disks.length} disks`, 'A machine has 16 at most.')
  const { cloudInit, guestNetwork } = takeSeed(taking, seed === null ? null : fileOf(seed))
  return { disks: disks.slice(0, 16), cloudInit, guestNetwork }
}

/** Made by us for a machine of ours, below the folder of disks. */
function isOwn({ mark }: Taking, disk: XmlElement): boolean {
  return mark?.deployment != null && isStoredFile(fileOf(disk))
}

function fileOf(disk: XmlElement): string {
  return attributeOf(find(disk, 'source'), 'file') ?? ''
}

/** What a disk may have beside what a spec says of it, and which nobody misses. */
const usual = ['driver', 'source', 'target', 'readonly', 'boot', 'alias', 'address', 'backingStore']

function takeDisk(taking: Taking, disk: XmlElement): DiskEntry[] {
  const { leave } = taking
  const target = attributeOf(find(disk, 'target'), 'dev') ?? ''
  const [type, device] = [attributeOf(disk, 'type') ?? 'file', attributeOf(disk, 'device') ?? 'disk']
  const file = fileOf(disk)
  const whole = `the ${device} ${target}`
  const none = (why: string) => {
    leave(whole, why)
    return []
  }
  if (device !== 'disk' && device !== 'cdrom') return none('Machines have disks and CDs.')
  if (type !== 'file') return none(`It is of type ${type}; only files are taken.`)
  if (file === '') return none('There is nothing in it.')
  if (!/^\/\P{Cc}{0,4000}$/u.test(file)) return none('Its path has characters that a spec does not take.')
  const format = attributeOf(find(disk, 'driver'), 'type') ?? 'raw'
  if (format !== 'raw' && format !== 'qcow2')
    return none(`It is of the format ${format}; convert it: qemu-img convert -O qcow2.`)
  leaveWords(disk, target, leave)
  if (device === 'cdrom') return format === 'raw' ? [{ cdrom: file }] : none('A CD is a raw image.')
  const bus = takeBus(disk, target, leave)
  if (isOwn(taking, disk)) return takeOwn(taking, disk, whole, bus)
  const readonly = find(disk, 'readonly') !== null
  return [
    {
      image: file,
      format,
      ...(readonly ? { readonly: true as const } : { overlay: false as const }),
      ...bus,
    },
  ]
}

/** An overlay of an image, or an empty disk, whose size only the file knows. */
function takeOwn({ sights, leave }: Taking, disk: XmlElement, whole: string, bus: DiskEntry): DiskEntry[] {
  const below = find(disk, 'backingStore', 'source')
  const image = attributeOf(below, 'file')
  const known = sights.images.find(({ path }) => path === fileOf(disk))
  if (image !== null) {
    const format = attributeOf(find(disk, 'backingStore', 'format'), 'type') ?? 'raw'
    const before = sights.images.find(({ path }) => path === image)
    const grown = known !== undefined && known.bytes !== before?.bytes
    return [{ image, format, ...(grown ? { size: showSize(known.bytes) } : {}), ...bus }]
  }
  if (known !== undefined) return [{ size: showSize(known.bytes), ...bus }]
  leave(whole, `Its size is not known: ${fileOf(disk)} is not here.`)
  return []
}

function takeBus(disk: XmlElement, target: string, leave: Taking['leave']): DiskEntry {
  const bus = attributeOf(find(disk, 'target'), 'bus') ?? 'virtio'
  if (bus === 'virtio') return {}
  if (bus === 'sata' || bus === 'scsi') return { bus }
  leave(`the bus ${bus} of ${target}`, 'It becomes sata, which the guest may know by another name.')
  return { bus: 'sata' }
}

function leaveWords(disk: XmlElement, target: string, leave: Taking['leave']): void {
  const driver = find(disk, 'driver')?.attributes ?? []
  const words = [
    ...driver
      .filter(
        ({ name, value }) => !['name', 'type'].includes(name) && !(name === 'discard' && value === 'unmap'),
      )
      .map(({ name, value }) => `${name}=${value}`),
    ...elementsOf(disk)
      .filter(({ name }) => !usual.includes(name))
      .map(({ name }) => `<${name}>`),
  ]
  if (words.length > 0) leave(`${words.join(', ')} of ${target}`, 'The defaults of QEMU are used.')
}
