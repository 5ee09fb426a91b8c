import { dirname } from 'node:path'
import type { DomainFacts } from '../core/doctor/examine-domain.js'
import type { PathStep, PathUser } from '../core/doctor/reach-path.js'
import type { Facts } from '../core/facts/facts.js'
import type { Folders } from '../core/plan/plan.js'
import { parseXml } from '../core/xml/parse-xml.js'
import { attributeOf, elementsOf, find, type XmlElement } from '../core/xml/xml.js'
import { findDomain } from '../drivers/libvirt/find-domain.js'
import { isActive } from '../drivers/libvirt/read-domain.js'
import { mustVirsh, virsh } from '../drivers/libvirt/virsh.js'
import { readPortsIfAny } from '../drivers/switch/ports.js'
import { readSwitchOwner, switchControl } from '../drivers/switch/run-folder.js'
import { readHookStatus } from '../hook/hook-status.js'
import { findUser, readGroups } from '../host/groups.js'
import { readOwner } from '../world/files.js'

export interface DomainInput {
  connect: string
  domain: string
  folders: Folders
  facts: Facts
}

/** Everything that `examineDomain` judges, of one domain. */
export async function readDomainFacts({
  connect,
  domain: word,
  folders,
  facts,
}: DomainInput): Promise<DomainFacts> {
  const { name, uuid, state, xml } = await findDomain(connect, word)
  const domain = parseXml(xml)
  const sockets = nicsOf(domain).flatMap((nic) => attributeOf(find(nic, 'source'), 'path') ?? [])
  const [others, ports, hook, user, switchUser, ways, rights] = await Promise.all([
    readOtherMacs(connect, uuid),
    readPortsIfAny(switchControl(folders)),
    readHookStatus(folders.state),
    readUser(connect, facts),
    readSwitchUser(switchControl(folders)),
    Promise.all(sockets.map(async (socket) => [socket, await readWay(dirname(socket))] as const)),
    Promise.all(sockets.map(async (socket) => [socket, await readOwner(socket)] as const)),
  ])
  const hookSeen = hook.installed ? hook.seen : false
  return {
    name,
    uuid,
    running: isActive(state),
    domain,
    user,
    machines: `${folders.run}/machines/`,
    switchUser,
    ways: Object.fromEntries(ways),
    sockets: Object.fromEntries(rights),
    ports,
    others,
    hookSeen,
  }
}

/** libvirt's session instance runs QEMU as whoever asks. */
async function readUser(connect: string, { libvirt, uid }: Facts): Promise<PathUser | null> {
  if (/\/session\b/.test(connect)) return readGroups({ name: `uid ${uid}`, uid })
  return libvirt === null || libvirt.user === null ? null : readGroups(libvirt.user)
}

/** The owner of its control socket; his own group first. */
async function readSwitchUser(control: string): Promise<PathUser | null> {
  const owner = await readSwitchOwner(control)
  if (owner === null || owner.uid === 0) return null
  const user = await readGroups(await findUser(owner.uid))
  return { ...user, gids: [owner.gid, ...user.gids.filter((gid) => gid !== owner.gid)] }
}

async function readOtherMacs(connect: string, uuid: string): Promise<DomainFacts['others']> {
  const all = (await mustVirsh(connect, ['list', '--all', '--uuid'])).split('\n').map((line) => line.trim())
  const macs: DomainFacts['others'] = []
  for (const other of all.filter((one) => one !== '' && one !== uuid)) {
    // One that was undefined meanwhile has no MACs.
    const dumped = await virsh(connect, ['dumpxml', '--inactive', other])
    if (!dumped.ok) continue
    const root = parseXml(dumped.stdout)
    const domain =
      find(root, 'name')
        ?.children.map((child) => (child.kind === 'text' ? child.text : ''))
        .join('') ?? other
    for (const nic of nicsOf(root)) {
      const mac = attributeOf(find(nic, 'mac'), 'address')?.toLowerCase()
      if (mac !== undefined) macs.push({ mac, domain })
    }
  }
  return macs
}

function nicsOf(domain: XmlElement): XmlElement[] {
  return elementsOf(find(domain, 'devices') ?? domain, 'interface')
}

/** Each folder from the root down. */
async function readWay(folder: string): Promise<PathStep[]> {
  const parts = folder.split('/').filter((part) => part !== '')
  const paths = ['/', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)]
  return Promise.all(paths.map(async (path) => ({ path, owner: await readOwner(path) })))
}
