import { join } from 'node:path'
import type { UplinkFact } from '../core/facts/facts.js'
import { listFolder, readText } from '../world/files.js'

/** The interface of the default route in /proc/net/route, the one of the least metric; null without one. */
export function parseDefaultRoute(text: string): string | null {
  const routes = text.split('\n').flatMap((line) => {
    const [name = '', destination, , , , , metric, mask] = line.split(/\s+/)
    return destination === '00000000' && mask === '00000000' ? [{ name, metric: Number(metric) }] : []
  })
  return routes.sort((a, b) => a.metric - b.metric)[0]?.name ?? null
}

/** The card by which frames leave the host, and its NUMA node; below a bridge, bond or VLAN the card that carries it. */
export async function readUplink(root = '/'): Promise<UplinkFact | null> {
  const route = parseDefaultRoute((await readText(join(root, 'proc/net/route'))) ?? '')
  return route === null ? null : findCard(join(root, 'sys/class/net'), route, 4)
}

async function findCard(links: string, name: string, depth: number): Promise<UplinkFact | null> {
  const node = Number((await readText(join(links, name, 'device/numa_node'))) ?? -1)
  if (node >= 0) return { name, node }
  if (depth === 0) return null
  const lower = (await listFolder(join(links, name))).filter((entry) => entry.startsWith('lower_'))
  for (const entry of lower) {
    const below = await findCard(links, entry.slice('lower_'.length), depth - 1)
    if (below !== null) return below
  }
  return null
}
