import { join } from 'node:path'
import type { HugepagePool, NumaNode } from '../core/facts/facts.js'
import { listFolder, readText } from '../world/files.js'

/** "0-3,8" as CPU numbers, ascending. */
export function parseCpuList(text: string): number[] {
  const parts = text.trim().split(',').filter(Boolean)
  return parts.flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

/** A line of /proc/meminfo or of a node's meminfo, in bytes; 0 when it is not there. */
export function parseMemory(text: string, name: string): number {
  const match = new RegExp(`(?:^|\\s)${name}:\\s+(\\d+) kB`, 'm').exec(text)
  return Number(match?.[1] ?? 0) * 1024
}

/** The page size in a folder name such as "hugepages-2048kB"; null for other names. */
export function parsePageBytes(folder: string): number | null {
  const match = /^hugepages-(\d+)kB$/.exec(folder)
  return match === null ? null : Number(match[1]) * 1024
}

/** Every NUMA node with its CPUs, memory and hugepages; a host without NUMA has one node 0. */
export async function readNodes(root = '/'): Promise<NumaNode[]> {
  const folder = join(root, 'sys/devices/system/node')
  const names = (await listFolder(folder)).filter((name) => /^node\d+$/.test(name))
  if (names.length === 0) return [await readWholeHost(root)]
  const nodes = await Promise.all(
    names.map((name) => readNode(root, join(folder, name), Number(name.slice(4)))),
  )
  return nodes.sort((a, b) => a.id - b.id)
}

async function readNode(root: string, folder: string, id: number): Promise<NumaNode> {
  const memory = (await readText(join(folder, 'meminfo'))) ?? ''
  return {
    id,
    cpus: parseCpuList((await readText(join(folder, 'cpulist'))) ?? ''),
    memoryBytes: parseMemory(memory, 'MemTotal'),
    freeBytes: parseMemory(memory, 'MemFree'),
    hugepages: await readPools(root, join(folder, 'hugepages')),
  }
}

async function readWholeHost(root: string): Promise<NumaNode> {
  const memory = (await readText(join(root, 'proc/meminfo'))) ?? ''
  return {
    id: 0,
    cpus: parseCpuList((await readText(join(root, 'sys/devices/system/cpu/online'))) ?? '0'),
    memoryBytes: parseMemory(memory, 'MemTotal'),
    freeBytes: parseMemory(memory, 'MemFree'),
    hugepages: await readPools(root, join(root, hostPools)),
  }
}

const hostPools = 'sys/kernel/mm/hugepages'

/** The kernel says for all nodes together what it promised, so on each node all of it is taken for promised. */
async function readPools(root: string, folder: string): Promise<HugepagePool[]> {
  const pools: HugepagePool[] = []
  for (const name of await listFolder(folder)) {
    const pageBytes = parsePageBytes(name)
    if (pageBytes === null) continue
    const read = async (file: string, from = folder) => Number((await readText(join(from, name, file))) ?? 0)
    const promised = await read('resv_hugepages', join(root, hostPools))
    const free = Math.max(0, (await read('free_hugepages')) - promised)
    pools.push({ pageBytes, total: await read('nr_hugepages'), free })
  }
  return pools.sort((a, b) => a.pageBytes - b.pageBytes)
}
