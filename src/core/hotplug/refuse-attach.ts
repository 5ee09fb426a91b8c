import { attributeOf, elementsOf, find, textOf, type XmlElement } from '../xml/xml.js'
import { whyNotShared } from './why-not-shared.js'

/** Why a domain cannot get one more card, one sentence each. `live`: as it runs now; null when it is off. */
export function refuseAttach(domain: XmlElement, live: XmlElement | null): string[] {
  const type = attributeOf(domain, 'type') ?? ''
  const now = live ?? domain
  const notShared = whyNotShared(now)
  return [
    ...(type === 'kvm' || type === 'qemu'
      ? []
      : [`Its type is ${type || 'not given'}: only kvm and qemu have vhost-user.`]),
    ...(notShared === null
      ? []
      : [
          `Its memory is not shared (${notShared}), so the switch could not see it: \`vhostkit accelerate ${shown(domain)}\` while it is off makes it so.`,
        ]),
    ...(type === 'qemu' && !isWithoutMsi(now)
      ? [
          'It runs under TCG, where QEMU 7.2 crashes when a vhost-user card uses MSI-X: boot it with pci=nomsi, or give it `-global virtio-net-pci.vectors=0`.',
        ]
      : []),
    ...(live !== null && isQ35(live) && freeRootPorts(live) === 0
      ? [
          "No PCI port is free in the running machine: add <controller type='pci' model='pcie-root-port'/> while it is off.",
        ]
      : []),
  ]
}

/** Whether its cards get no vectors, or its guest uses none. */
function isWithoutMsi(domain: XmlElement): boolean {
  const words = elementsOf(find(domain, 'qemu:commandline') ?? domain, 'qemu:arg').map((arg) =>
    attributeOf(arg, 'value'),
  )
  return (
    words.includes('virtio-net-pci.vectors=0') ||
    textOf(find(domain, 'os', 'cmdline'))
      .split(/\s+/)
      .includes('pci=nomsi')
  )
}

function isQ35(domain: XmlElement): boolean {
  return /q35/.test(attributeOf(find(domain, 'os', 'type'), 'machine') ?? '')
}

/** Ports of the machine that one device fits into, and none is in: q35 can plug in nowhere else. */
function freeRootPorts(domain: XmlElement): number {
  const devices = elementsOf(find(domain, 'devices') ?? domain)
  const used = new Set(
    devices.flatMap((device) => {
      const address = find(device, 'address')
      return attributeOf(address, 'type') === 'pci' ? [Number(attributeOf(address, 'bus') ?? 0)] : []
    }),
  )
  const ports = devices.filter(
    (device) =>
      device.name === 'controller' &&
      /^pcie-(root-port|switch-downstream-port)$/.test(attributeOf(device, 'model') ?? ''),
  )
  return ports.filter((port) => !used.has(Number(attributeOf(port, 'index') ?? 0))).length
}

function shown(domain: XmlElement): string {
  return textOf(find(domain, 'name'))
}
