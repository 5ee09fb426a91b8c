import { createHash } from 'node:crypto'

/** What people may choose as a name; the switch holds its own to the same. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/

/**
 * Every name and address that people do not choose, hashed from the names they
 * do choose: the same spec gives the same ones on every host and every day.
 */

/** Switch port of a machine's interface: "pair.vm1.net0", at most 63 characters. */
export function machinePort(deployment: string, machine: string, index: number): string {
  return `${machineOwner(deployment, machine)}.net${index}`
}

/** Switch port of a card of a domain that we did not make, whatever its name: "libvirt.web.net0". */
export function domainPort(domain: string, index: number): string {
  const plain = /^[A-Za-z0-9_.-]{1,32}$/.test(domain)
  return `libvirt.${plain ? domain : hash('domain', domain).slice(0, 16)}.net${index}`
}

/** Switch port of a network's tap: "pair.lan.host", at most 63 characters. */
export function tapPort(deployment: string, network: string): string {
  return `${machineOwner(deployment, network)}.host`
}

/** What every port name of a deployment begins with, and no port of another one. */
export function portPrefix(deployment: string): string {
  // A dot would let "a" with "b.c" and "a.b" with "c" share their ports.
  return `${shorten(deployment.includes('.') ? hashedEnd(deployment, 24) : deployment, 24)}.`
}

/** "pair.vm1", at most 57 characters: folder and QEMU name of a machine. */
export function machineOwner(deployment: string, machine: string): string {
  return `${portPrefix(deployment)}${shorten(machine, 32)}`
}

/** Runtime folder of a machine below the run folder. */
export function machineFolder(run: string, deployment: string, machine: string): string {
  return `${run}/machines/${machineOwner(deployment, machine)}`
}

/** Folder of a machine's disks, seed and firmware variables below the state folder. */
export function machineStore(state: string, deployment: string, machine: string): string {
  return `${state}/disks/${machineOwner(deployment, machine)}`
}

/** The file of a disk that we make, and that of a seed, whose name changes with what is in it. */
export function diskFile(store: string, index: number): string {
  return `${store}/disk${index}.qcow2`
}

export function seedFile(store: string, contents: string): string {
  return `${store}/seed-${contentId(contents)}.iso`
}

export function variablesFile(store: string): string {
  return `${store}/uefi-variables.fd`
}

/** Whether a path is one of the three: nothing else is ever removed as such. */
export function isStoredFile(path: string): boolean {
  return /\/disks\/[^/]+\/(disk\d{1,2}\.qcow2|seed-[0-9a-f]{8}\.iso|uefi-variables\.fd)$/.test(path)
}

/** 8 digits that are others when the text is. */
export function contentId(text: string): string {
  return hash('content', text).slice(0, 8)
}

/** What every tap of a deployment begins with: "vk" and 6 digits. */
export function tapPrefix(deployment: string): string {
  return `vk${hash('tap', deployment).slice(0, 6)}-`
}

/** Interface name of a network's tap, at most 15 characters: "vk3fa9c1-lan". */
export function tapName(deployment: string, network: string): string {
  const short = /^[A-Za-z0-9]{1,6}$/.test(network) ? network : hash('network', network).slice(0, 6)
  return tapPrefix(deployment) + short
}

/** Folder of what the host does for a network: dnsmasq's files. */
export function networkFolder(run: string, deployment: string, network: string): string {
  return `${run}/networks/${machineOwner(deployment, network)}`
}

/** Table of nftables of a network: "vhostkit_vk3fa9c1_lan"; letters, digits and "_" whatever people choose. */
export function natTable(deployment: string, network: string): string {
  return `vhostkit_${tapName(deployment, network).replaceAll('-', '_')}`
}

/** UUID of a machine, version 5 (RFC 4122) below vhostkit's own namespace. */
export function machineUuid(deployment: string, machine: string): string {
  const namespace = '9d1f0c5ae4b74f6c8a53d07be2c91764'
  const named = createHash('sha1').update(namespace, 'hex').update(`${deployment}/${machine}`).digest()
  named.writeUInt8((named.readUInt8(6) & 0x0f) | 0x50, 6)
  named.writeUInt8((named.readUInt8(8) & 0x3f) | 0x80, 8)
  return named.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** A MAC address in QEMU's range 52:54:00 that is not in `taken`. */
export function interfaceMac(
  deployment: string,
  machine: string,
  index: number,
  taken: ReadonlySet<string>,
): string {
  // 24 bits do collide in large deployments; the next attempt hashes to another address.
  for (let attempt = 0; ; attempt++) {
    const digits = hash('mac', deployment, machine, String(index), String(attempt)).slice(0, 6)
    const mac = `52:54:00:${digits.replace(/(..)(?=.)/g, '$1:')}`
    if (!taken.has(mac)) return mac
  }
}

function shorten(name: string, most: number): string {
  return name.length <= most ? name : hashedEnd(name, most)
}

function hashedEnd(name: string, most: number): string {
  return `${name.replaceAll('.', '-').slice(0, most - 9)}-${hash('name', name).slice(0, 8)}`
}

function hash(...parts: string[]): string {
  // The parts cannot run into each other: no name contains a slash.
  return createHash('sha256').update(parts.join('/')).digest('hex')
}
