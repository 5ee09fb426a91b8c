import type { Facts } from '../core/facts/facts.js'
import { listFolder, mayAccess } from '../world/files.js'
import { readKvm } from './kvm.js'
import { readLibvirt } from './libvirt.js'
import { readNodes } from './nodes.js'
import { readCanCreateTaps, readCanReserveHugepages } from './rights.js'
import { findProgram, readQemu } from './versions.js'

/** Reads what the host is. `builtSwitch` is where our own build would be. */
export async function readFacts(builtSwitch: string): Promise<Facts> {
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
  const uid = process.geteuid?.() ?? 0
  return { version: 1, nodes, kvm, qemu, libvirt, switchPath, uid, links, canReserveHugepages, canCreateTaps }
}

async function findSwitch(built: string): Promise<string | null> {
  return (await mayAccess(built, 'x')) ? built : findProgram('vhostkit-switch')
}
