import type { NumaNode } from '../core/facts/facts.js'
import { readTaps } from '../drivers/host/taps.js'
import { readNodes } from '../host/nodes.js'
import { exists, listFolder } from '../world/files.js'
import { isAlive, readArguments } from '../world/processes.js'

/** What a host looked like before the demo. */
export interface Before {
  taps: string[]
  nodes: NumaNode[]
}

export async function lookBefore(): Promise<Before> {
  return { taps: (await readTaps()).map(({ ifname }) => ifname), nodes: await readNodes() }
}

/** Everything of the demo that is still there: processes, taps, hugepages, its folder with the sockets. */
export async function findLeftBehind(base: string, before: Before): Promise<string[]> {
  const processes = (await findProcesses(base)).map(({ pid, program }) => `process ${pid} (${program})`)
  const taps = (await readTaps())
    .filter(({ ifname }) => !before.taps.includes(ifname))
    .map(({ ifname }) => `tap ${ifname}`)
  const folder = (await exists(base)) ? [`folder ${base}`] : []
  return [...processes, ...taps, ...comparePools(before.nodes, await readNodes()), ...folder]
}

/** The processes whose arguments name the folder: QEMU, the switch and its supervisor. */
export async function findProcesses(base: string): Promise<{ pid: number; program: string }[]> {
  const found: { pid: number; program: string }[] = []
  for (const name of (await listFolder('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const pid = Number(name)
    const argv = pid === process.pid ? null : await readArguments(pid)
    if (!argv?.some((word) => word.includes(`${base}/`))) continue
    if (await isAlive(pid)) found.push({ pid, program: argv[0] ?? '' })
  }
  return found
}

export function comparePools(before: NumaNode[], after: NumaNode[]): string[] {
  return after.flatMap(({ id, hugepages }) =>
    hugepages.flatMap(({ pageBytes, total }) => {
      const pools = before.find((node) => node.id === id)?.hugepages ?? []
      const was = pools.find((pool) => pool.pageBytes === pageBytes)?.total ?? 0
      return total === was
        ? []
        : [`hugepages of ${pageBytes / 1024} kB on node ${id}: ${total}, before ${was}`]
    }),
  )
}
