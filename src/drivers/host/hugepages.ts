import { join } from 'node:path'
import { VhostkitError } from '../../core/errors.js'
import { exists, readText, writeKernelFile } from '../../world/files.js'
import { withLimit } from '../../world/wait-for.js'
import type { DriverContext, Verdict } from '../driver.js'

/** Where the kernel keeps its pools; tests give another folder. */
export interface SysFolder {
  sys: string
}

export interface Pool {
  total: number
  free: number
  /** Promised by the kernel to somebody who has not touched them: free all the same. It counts them for all nodes together. */
  promised: number
}

export interface PageAmount {
  node: number
  pageBytes: number
  pages: number
}

const sysDefault: SysFolder = { sys: '/sys' }

/** The pool of one page size on one node; zero pages when the host has no such pool. */
export async function readPool(node: number, pageBytes: number, { sys } = sysDefault): Promise<Pool> {
  const folder = await poolFolder(sys, node, pageBytes)
  const read = async (name: string) => Number((await readText(join(folder, name))) ?? 0)
  const promised = Number((await readText(join(hostFolder(sys, pageBytes), 'resv_hugepages'))) ?? 0)
  return { total: await read('nr_hugepages'), free: await read('free_hugepages'), promised }
}

/**
 * Adds pages to a pool, all of them or none. What was there before is noted in
 * the journal first, so that a crash in between can be undone exactly. Free memory
 * may be in pieces that are too small: then it is put together and tried again.
 */
export async function reserveHugepages(
  { node, pageBytes, pages }: PageAmount,
  { note, signal }: Pick<DriverContext, 'note' | 'signal'>,
  where = sysDefault,
): Promise<void> {
  const before = (await readPool(node, pageBytes, where)).total
  await note({ before })
  const got = await grow({ node, pageBytes, pages }, before, signal, where)
  if (got >= pages) return
  await writeTotal(node, pageBytes, before, where)
  const free = await readFreeMemory(node, where)
  throw new VhostkitError('hugepages-short', {
    sentence: `Node ${node} gave ${got} of ${pages} hugepages of ${pageBytes / 1024} kB, also after compaction; they were given back. ${free} MB of its memory are free.`,
    hint: 'Free memory on that node, or leave hugepages at preferred: then memfd memory is used.',
  })
}

/** Further tries, each after memory was put together; and how long one may take, since the kernel does not say. */
const compactions = 2
const compactionLimitMs = 600

async function grow(
  { node, pageBytes, pages }: PageAmount,
  before: number,
  signal: AbortSignal | undefined,
  where: SysFolder,
): Promise<number> {
  let got = 0
  for (let attempt = 0; attempt <= compactions && signal?.aborted !== true; attempt++) {
    if (attempt > 0) await compact(node, where)
    await writeTotal(node, pageBytes, before + pages, where)
    got = (await readPool(node, pageBytes, where)).total - before
    if (got >= pages) break
  }
  return got
}

/** Has the kernel put free memory of a node together; one without NUMA all of it. Where that cannot be asked for, nothing happens. */
async function compact(node: number, { sys }: SysFolder): Promise<void> {
  const ofNode = join(sys, 'devices/system/node', `node${node}`, 'compact')
  const path = (await exists(ofNode)) ? ofNode : '/proc/sys/vm/compact_memory'
  if (sys !== '/sys' && path !== ofNode) return
  const done = writeKernelFile(path, '1').catch(() => undefined)
  await withLimit('compaction', compactionLimitMs, done).catch(() => undefined)
}

async function readFreeMemory(node: number, { sys }: SysFolder): Promise<number> {
  const text = (await readText(join(sys, 'devices/system/node', `node${node}`, 'meminfo'))) ?? ''
  return Math.floor(Number(/MemFree:\s+(\d+) kB/.exec(text)?.[1] ?? 0) / 1024)
}

/** Takes pages out of a pool again; those still mapped leave it when they are let go. */
export async function releaseHugepages(
  amount: PageAmount,
  context: Pick<DriverContext, 'note'>,
  where = sysDefault,
): Promise<void> {
  const { total } = await readPool(amount.node, amount.pageBytes, where)
  await context.note({ before: total })
  await writeTotal(amount.node, amount.pageBytes, Math.max(0, total - amount.pages), where)
}

/** Whether the kernel would give that many now: it keeps its promises with pages of any node, so all nodes count. */
export async function checkHugepagesFree(
  node: number,
  pageBytes: number,
  atLeast: number,
  where = sysDefault,
): Promise<Verdict> {
  const { free, promised } = await readPool(node, pageBytes, where)
  const ofHost = Number((await readText(join(hostFolder(where.sys, pageBytes), 'free_hugepages'))) ?? 0)
  return {
    ok: Math.min(free, ofHost - promised) >= atLeast,
    found: `${free} hugepages of ${pageBytes / 1024} kB are free on node ${node}, ${ofHost} on the host, of which ${promised} are promised to others`,
  }
}

async function writeTotal(node: number, pageBytes: number, total: number, { sys }: SysFolder): Promise<void> {
  await writeKernelFile(join(await poolFolder(sys, node, pageBytes), 'nr_hugepages'), `${total}`)
}

async function poolFolder(sys: string, node: number, pageBytes: number): Promise<string> {
  const size = `hugepages-${pageBytes / 1024}kB`
  const ofNode = join(sys, 'devices/system/node', `node${node}`, 'hugepages', size)
  return (await exists(ofNode)) ? ofNode : hostFolder(sys, pageBytes)
}

function hostFolder(sys: string, pageBytes: number): string {
  return join(sys, 'kernel/mm/hugepages', `hugepages-${pageBytes / 1024}kB`)
}
