import { join } from 'node:path'
import { listFolder, mayAccess, opensReadWrite, readText } from '../world/files.js'

const capNetAdmin = 12

/** Whether a set of capabilities (CapEff of /proc/self/status) holds CAP_NET_ADMIN. */
export function parseHasNetAdmin(status: string): boolean {
  const match = /^CapEff:\s*([0-9a-f]+)/m.exec(status)
  return match !== null && ((BigInt(`0x${match[1]}`) >> BigInt(capNetAdmin)) & 1n) === 1n
}

/** Whether this user may reserve hugepages: the pool sizes are writable. */
export async function readCanReserveHugepages(): Promise<boolean> {
  const folder = '/sys/kernel/mm/hugepages'
  const [pool] = await listFolder(folder)
  return pool !== undefined && mayAccess(join(folder, pool, 'nr_hugepages'), 'rw')
}

/** Whether this user may make taps. */
export async function readCanCreateTaps(): Promise<boolean> {
  const status = (await readText('/proc/self/status')) ?? ''
  return parseHasNetAdmin(status) && (await opensReadWrite('/dev/net/tun'))
}
