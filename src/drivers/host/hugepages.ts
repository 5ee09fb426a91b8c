import { join } from 'node:path'
import { VhostkitError } from '../../core/errors.js'
import { exists, readText, writeKernelFile } from '../../world/files.js'
import type { DriverContext, Verdict } from '../driver.js'

/** Where the kernel keeps its pools; tests give another folder. */
export interface SysFolder {
  sys: string
}

export interface Pool {
  total: number
  free: number
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
  return { total: await read('nr_hugepages'), free: await read('free_hugepages') }
}

/**
 * Adds pages to a pool, all of them or none. What was there before is noted in
 * the journal first, so that a crash in between can be undone exactly.
 */
export async function reserveHugepages(
  { node, pageBytes, pages }: PageAmount,
  context: Pick<DriverContext, 'note'>,
  where = sysDefault,
): Promise<void> {
  const before = (await readPool(node, pageBytes, where)).total
  await context.note({ before })
  await writeTotal(node, pageBytes, before + pages, where)
  const got = (await readPool(node, pageBytes, where)).total - before
  if (got >= pages) return
  await writeTotal(node, pageBytes, before, where)
  throw new VhostkitError('hugepages-short', {
    sentence: `Node ${node} gave ${got} of ${pages} hugepages of ${pageBytes / 1024} kB; they were given back.`,
    hint: 'Free memory on that node, or leave hugepages at preferred: then memfd memory is used.',
  })
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

export async function checkHugepagesFree(
  node: number,
  pageBytes: number,
  atLeast: number,
  where = sysDefault,
): Promise<Verdict> {
  const { free } = await readPool(node, pageBytes, where)
  return {
    ok: free >= atLeast,
    found: `${free} hugepages of ${pageBytes / 1024} kB are free on node ${node}`,
  }
}

async function writeTotal(node: number, pageBytes: number, total: number, { sys }: SysFolder): Promise<void> {
  await writeKernelFile(join(await poolFolder(sys, node, pageBytes), 'nr_hugepages'), `${total}`)
}

async function poolFolder(sys: string, node: number, pageBytes: number): Promise<string> {
  const size = `hugepages-${pageBytes / 1024}kB`
  const ofNode = join(sys, 'devices/system/node', `node${node}`, 'hugepages', size)
  return (await exists(ofNode)) ? ofNode : join(sys, 'kernel/mm/hugepages', size)
}
