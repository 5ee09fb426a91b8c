import type { Facts } from '../core/facts/facts.js'
import { exists, listFolder, mayAccess } from '../world/files.js'
import { readDnsmasq } from './dnsmasq.js'
import { readImages } from './images.js'
import { readKvm } from './kvm.js'
import { readLibvirt } from './libvirt.js'
import { readNodes } from './nodes.js'
import { readCanCreateTaps, readCanReserveHugepages } from './rights.js'
import { readRoutes } from './routes.js'
import { readUefi } from './uefi.js'
import { readUplink } from './uplink.js'
import { findProgram, readQemu } from './versions.js'

/** Reads what the host is. `builtSwitch` is where our own build would be, `images` and `boots` what a spec names. */
export async function readFacts(
  builtSwitch: string,
  images: string[] = [],
  boots: string[] = [],
): Promise<Facts> {
  const qemu = await readQemu()
  const [nodes, kvm, libvirt, switchPath, links, canReserveHugepages, canCreateTaps] = await Promise.all([
    readNodes(),
    readKvm(qemu?.path ?? null),
    readLibvirt(),
    findSwitch(builtSwitch),
    listFolder('/sys/class/net'),
    readCanReserveHugepages(),
    readCanCreateTaps(),
  ])
  const [missing, uefi, makers, uplink] = await Promise.all([
    findMissing(boots),
    readUefi(),
    findMakers(),
    readUplink(),
  ])
  const [routes, dnsmasq, nft] = await Promise.all([readRoutes(), readDnsmasq(), findProgram('nft')])
  const uid = process.geteuid?.() ?? 0
  const rights = { uid, canReserveHugepages, canCreateTaps }
  return {
    version: 1,
    nodes,
    kvm,
    qemu,
    libvirt,
    switchPath,
    links,
    uplink,
    ...rights,
    routes,
    dnsmasq,
    nft,
    images: readImages(images),
    ...(missing.length === 0 ? {} : { missing }),
    uefi,
    makers,
  }
}

async function findMissing(paths: string[]): Promise<string[]> {
  const distinct = [...new Set(paths)]
  const present = await Promise.all(distinct.map(exists))
  return distinct.filter((_, index) => !present[index])
}

async function findMakers(): Promise<Facts['makers']> {
  const programs = ['qemu-img', 'xorriso'] as const
  const paths = await Promise.all(programs.map(findProgram))
  return programs.filter((_, index) => paths[index] !== null)
}

async function findSwitch(built: string): Promise<string | null> {
  return (await mayAccess(built, 'x')) ? built : findProgram('vhostkit-switch')
}
