import { type ApplyOptions, apply } from '../apply/apply.js'
import { VhostkitError } from '../core/errors.js'
import type { DomainNeeds } from '../core/hook/domain-needs.js'
import type { PageNeed } from '../core/hook/page-needs.js'
import { addPages } from '../core/steps/count-pages.js'
import { reserveHugepages } from '../core/steps/make-step.js'
import { readPool } from '../drivers/host/hugepages.js'
import { listFolder } from '../world/files.js'
import { takeLock } from '../world/lock.js'
import { type DomainRecord, settleRecords, writeRecord } from './domain-record.js'
import { hookLockFolder } from './release-domain.js'

const workLimitMs = 2_000
/** Domains that start at once take their pages one after the other; the drop-in ends a hook after 20 s. */
const lockLimitMs = 12_000

/**
 * Sees to it that the pools hold what a domain needs: free pages that nobody was
 * promised, and new ones for the rest. All under one lock, and the promise is
 * written before the lock goes, so that two domains never count on the same page.
 */
export async function takePages(
  { uuid, pages }: DomainNeeds,
  record: DomainRecord,
  options: Omit<ApplyOptions, 'signal'>,
  stateFolder: string,
): Promise<void> {
  if (pages.length === 0) return
  const lock = await takeLock(hookLockFolder(stateFolder), 'vhostkit hook', lockLimitMs)
  if (!lock.taken) {
    throw new VhostkitError('lock-held', {
      sentence: 'Other domains take hugepages, and did not end in time.',
      hint: 'Start the domain again.',
    })
  }
  // Waiting for others is no trouble of ours: the time for our own work begins only now.
  const signal = AbortSignal.timeout(workLimitMs)
  try {
    const others = (await settleRecords(stateFolder)).filter((other) => other.uuid !== uuid)
    for (const { node: at, pageBytes, pages: count } of await placePages(pages)) {
      const promised = sum(
        others.flatMap(({ promised: amounts }) => amounts),
        at,
        pageBytes,
      )
      const pool = await readPool(at, pageBytes)
      // Both may count the same page of a QEMU that is just starting: then one more is taken, never one of others.
      const lacking = count - Math.max(0, pool.free - promised - pool.promised)
      if (lacking > 0) {
        const need = { node: at, pageBytes, pages: lacking }
        // Pages promised to others may be mapped already, so only ours are asked for.
        await apply([reserveHugepages(need, count)], { ...options, signal }).catch((error: unknown) => {
          throw explain(error)
        })
      }
      record.promised.push({ node: at, pageBytes, pages: count })
    }
    await writeRecord(stateFolder, record)
  } finally {
    await lock.release()
  }
}

/** At its start nothing of a definition can be changed any more; before, it can. */
function explain(error: unknown): unknown {
  if (!(error instanceof VhostkitError) || error.code !== 'hugepages-short') return error
  return new VhostkitError('hugepages-short', {
    sentence: error.sentence,
    hint: 'Its definition says <hugepages>: free memory there, or define it without them (`vhostkit apply` with hugepages: preferred does so by itself).',
    cause: error.cause,
  })
}

/** Each need on a node; those of one pool together. */
async function placePages(needs: PageNeed[]): Promise<DomainRecord['promised']> {
  const placed = needs.map(async ({ node, ...need }) => ({
    ...need,
    node: node ?? (await roomiestNode(need.pageBytes)),
  }))
  return addPages(await Promise.all(placed))
}

function sum(amounts: DomainRecord['promised'], node: number, pageBytes: number): number {
  const like = amounts.filter((amount) => amount.node === node && amount.pageBytes === pageBytes)
  return like.reduce((total, { pages }) => total + pages, 0)
}

/** Where a domain that is bound nowhere finds most: the kernel takes pages from any node. */
async function roomiestNode(pageBytes: number): Promise<number> {
  const folder = '/sys/devices/system/node'
  const nodes = (await listFolder(folder)).flatMap((name) => {
    const id = /^node(\d+)$/.exec(name)?.[1]
    return id === undefined ? [] : [Number(id)]
  })
  const pools = await Promise.all(nodes.map(async (node) => ({ node, ...(await readPool(node, pageBytes)) })))
  return pools.sort((a, b) => b.free - a.free)[0]?.node ?? 0
}
