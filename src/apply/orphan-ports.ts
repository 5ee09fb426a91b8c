import { dirname, join } from 'node:path'
import type { Folders } from '../core/plan/plan.js'
import { askSwitch } from '../drivers/switch/client.js'
import { deletePort, readPortsIfAny } from '../drivers/switch/ports.js'
import type { PortInfo } from '../drivers/switch/protocol.js'
import { switchControl } from '../drivers/switch/run-folder.js'
import { exists } from '../world/files.js'
import { type Receipt, readReceipts } from './receipt.js'

export interface PortsSeen {
  ports: PortInfo[]
  /** Of `switch.info`. */
  lost: string[]
  /** Machine folders that exist. */
  machineFolders: string[]
}

/**
 * Ports that we made and no deployment has now: the switch was off when
 * they were to be deleted, and brought them back from its state file. Ports
 * that others added are none of ours, nor is any port that still has its files.
 */
export function findOrphans(seen: PortsSeen, receipts: readonly Receipt[], { run }: Folders): string[] {
  const known = receipts.flatMap(({ artifacts, before }) => [...artifacts.ports, ...(before?.ports ?? [])])
  const isKnown = (name: string) => known.some((port) => port.name === name)
  const bereft = seen.ports.filter(({ kind, socket, ifname, state }) => {
    if (kind === 'tap') return ownTap.test(ifname ?? '') && state !== 'up'
    const folder = dirname(socket ?? '')
    return folder.startsWith(`${join(run, 'machines')}/`) && !seen.machineFolders.includes(folder)
  })
  const lost = seen.lost.filter((name) => ownPort.test(name))
  return [...bereft.map(({ name }) => name), ...lost].filter((name) => !isKnown(name))
}

/** How `core/spec/names.ts` names the ports and taps of deployments. */
const ownPort = /^[^.]+\.[^.].*\.(net\d+|host)$/
const ownTap = /^vk[0-9a-f]{6}-/

/** The orphans of the running switch; none when it does not run. */
export async function readOrphans(folders: Folders): Promise<string[]> {
  const control = switchControl(folders)
  const ports = await readPortsIfAny(control)
  if (ports === null) return []
  const { lost } = await askSwitch(control, 'switch.info')
  const places = ports.flatMap(({ socket }) => (socket === null ? [] : [dirname(socket)]))
  const present = await Promise.all(places.map(exists))
  const machineFolders = places.filter((_, index) => present[index])
  return findOrphans({ ports, lost, machineFolders }, await readReceipts(folders.state), folders)
}

/** Removes them from the switch, and so from its state file. To be called under the lock. */
export async function forgetOrphans(folders: Folders): Promise<string[]> {
  const orphans = await readOrphans(folders)
  for (const name of orphans) await deletePort(switchControl(folders), name)
  return orphans
}
