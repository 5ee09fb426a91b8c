import { join } from 'node:path'
import { Journal } from '../apply/journal.js'
import { releaseHugepages } from '../core/steps/make-step.js'
import { takeLock } from '../world/lock.js'
import { type DomainRecord, readRecord, removeRecord, settleRecords, writeRecord } from './domain-record.js'
import { hookHands } from './hook-hands.js'
import type { HookSettings } from './settings.js'

const lockLimitMs = 10_000

/** The lock of the hooks; not that of the CLI, which may hold its own while it has libvirt start a domain. */
export function hookLockFolder(stateFolder: string): string {
  return join(stateFolder, 'domains')
}

/** QEMU runs, so the pages promised to it are its own now. */
export async function domainStarted(uuid: string, { folders }: HookSettings): Promise<void> {
  const record = await readRecord(folders.state, uuid)
  if (record === null || record.promised.length === 0) return
  await writeRecord(folders.state, { ...record, promised: [] })
}

/** Gives back what was taken for a domain, and only that; false: nothing was. */
export async function releaseDomain(uuid: string, { folders }: HookSettings): Promise<boolean> {
  const { state } = folders
  if ((await readRecord(state, uuid)) === null) return false
  const lock = await takeLock(hookLockFolder(state), 'vhostkit hook', lockLimitMs)
  try {
    const record = (await settleRecords(state)).find((other) => other.uuid === uuid)
    if (record === undefined) return false
    for (const action of record.giveBack) {
      await hookHands.perform(action, { graceMs: 0, note: async () => undefined }).catch(() => undefined)
    }
    await givePagesBack(record, state)
    await removeRecord(state, uuid)
    return true
  } finally {
    if (lock.taken) await lock.release()
  }
}

async function givePagesBack(record: DomainRecord, state: string): Promise<void> {
  record.journal = []
  const journal = new Journal<DomainRecord>(record, (changed) => writeRecord(state, changed))
  for (const amount of [...record.reserved]) {
    const step = releaseHugepages(amount)
    await journal.intend(step)
    await hookHands.perform(step.action, { graceMs: 0, note: (facts) => journal.note(step, facts) })
    await journal.mark(step, 'done')
  }
}
