import { attributeOf, elementsOf, find, textOf, type XmlElement } from '../xml/xml.js'
import type { DiskEntry } from './take-disks.js'
import type { Taking } from './take-over.js'

/** What it boots, and its firmware. */
export function takeBoot(taking: Taking, disks: DiskEntry[]): Record<string, unknown> {
  const { domain } = taking
  const kernel = textOf(find(domain, 'os', 'kernel'))
  const firmware = takeFirmware(taking) ? { firmware: 'uefi' } : {}
  if (kernel !== '') {
    const [initrd, cmdline] = ['initrd', 'cmdline'].map((name) => textOf(find(domain, 'os', name)))
    const words = { kernel, ...(initrd === '' ? {} : { initrd }), cmdline }
    return { boot: words, ...firmware }
  }
  const first = firstDevice(taking)
  if (first === 'cdrom' && disks.some(({ cdrom }) => cdrom !== undefined))
    return { boot: 'cdrom', ...firmware }
  const hasImage = disks.some(({ image, cdrom }) => (image ?? cdrom) !== undefined)
  return { ...(!hasImage && disks.length > 0 && first === 'hd' ? { boot: 'disk' } : {}), ...firmware }
}

/** The first thing that is booted: by the order of the devices, else by the list of kinds; '' when none is named. */
function firstDevice({ domain, leave }: Taking): string {
  const devices = find(domain, 'devices')
  const ordered = (devices === null ? [] : elementsOf(devices))
    .flatMap((device) => {
      const order = Number(attributeOf(find(device, 'boot'), 'order') ?? 0)
      return order > 0 ? [{ order, kind: kindOf(device) }] : []
    })
    .sort((a, b) => a.order - b.order)
    .map(({ kind }) => kind)
  const os = find(domain, 'os')
  const listed = os === null ? [] : elementsOf(os, 'boot').map((boot) => attributeOf(boot, 'dev') ?? '')
  const kinds = ordered.length > 0 ? ordered : listed
  if (kinds.includes('network')) leave('booting from the network', 'Cards have no boot ROM.')
  return kinds.find((kind) => kind === 'cdrom' || kind === 'hd') ?? ''
}

function kindOf(device: XmlElement): string {
  if (device.name === 'interface') return 'network'
  return attributeOf(device, 'device') === 'cdrom' ? 'cdrom' : 'hd'
}

function takeFirmware({ domain, mark, leave }: Taking): boolean {
  const os = find(domain, 'os')
  const loader = find(domain, 'os', 'loader')
  const uefi = attributeOf(os, 'firmware') === 'efi' || attributeOf(loader, 'type') === 'pflash'
  if (!uefi) {
    if (loader !== null) leave(`the loader ${textOf(loader)}`, 'The BIOS that comes with QEMU is used.')
    return false
  }
  const features = find(domain, 'os', 'firmware')
  const locked =
    attributeOf(loader, 'secure') === 'yes' ||
    (features !== null &&
      elementsOf(features, 'feature').some(
        (feature) => attributeOf(feature, 'enabled') === 'yes' && attributeOf(feature, 'name') !== null,
      ))
  if (locked) leave('Secure Boot', 'The UEFI of a machine has none.')
  if (mark?.deployment == null) {
    const variables = textOf(find(domain, 'os', 'nvram'))
    leave(
      `the UEFI variables${variables === '' ? '' : ` in ${variables}`}`,
      'A machine begins with fresh ones, so boot entries that the guest made are not there; the usual path \\EFI\\BOOT is tried.',
    )
  }
  return true
}
