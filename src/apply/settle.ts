import { addReserved, type JournalRecord } from './journal.js'
import type { JournalEntry } from './receipt.js'

/** How many pages a pool has now. */
export type ReadTotal = (node: number, pageBytes: number) => Promise<number>

/**
 * After a crash in the middle of an operation: finds out from the host whether
 * an intended change of a hugepage pool happened, and accounts for it exactly.
 * Everything else (processes, sockets, taps, ports) is seen in Live anyway.
 */
export async function settle<Kind extends JournalRecord>(
  receipt: Kind,
  readTotal: ReadTotal,
  boot: string,
): Promise<Kind> {
  const settled = structuredClone(receipt)
  // The pools of another boot are gone: what this one has is of others, and giving it back would take theirs.
  if (isOfAnotherBoot(receipt, boot)) return { ...settled, boot, reserved: [], journal: [] }
  for (const entry of settled.journal.filter(({ state }) => state === 'intended' || state === 'failed')) {
    const change = await readChange(entry, readTotal)
    if (change === null) continue
    addReserved(settled, change, change.pages)
    entry.state = 'done'
  }
  return settled
}

/** A record without a boot is of an older version, and taken to be of this one. */
export function isOfAnotherBoot({ boot }: Pick<JournalRecord, 'boot'>, now: string): boolean {
  return boot !== undefined && boot !== now
}

async function readChange(entry: JournalEntry, readTotal: ReadTotal) {
  const { action, facts } = entry
  if (action.do !== 'reserve-hugepages' && action.do !== 'release-hugepages') return null
  if (facts.before === undefined) return null
  const { node, pageBytes } = action
  const moved = (await readTotal(node, pageBytes)) - facts.before
  const most = action.pages
  const pages = action.do === 'reserve-hugepages' ? clamp(moved, 0, most) : clamp(moved, -most, 0)
  return { node, pageBytes, pages }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
