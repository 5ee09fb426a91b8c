import { VhostkitError } from '../core/errors.js'
import type { Action } from '../core/steps/steps.js'
import { readBootId } from '../world/boot-id.js'
import { takeLock } from '../world/lock.js'
import { type DomainRecord, newRecord, readRecord, removeRecord, writeRecord } from './domain-record.js'
import { hookLockFolder } from './release-domain.js'

const lockLimitMs = 10_000

/** Changes what is given back at the end of a domain; a record without anything to give back goes. */
export async function amendRecord(
  stateFolder: string,
  { uuid, name }: Pick<DomainRecord, 'uuid' | 'name'>,
  change: (giveBack: Action[]) => Action[],
): Promise<void> {
  const lock = await takeLock(hookLockFolder(stateFolder), 'vhostkit interface', lockLimitMs)
  if (!lock.taken) throw new VhostkitError('lock-held', { sentence: 'Hooks of domains hold their lock.' })
  try {
    const there = await readRecord(stateFolder, uuid)
    const record = there ?? { ...newRecord(uuid, name, await readBootId()), status: 'applied' as const }
    const giveBack = change(record.giveBack)
    if (giveBack.length === 0 && record.reserved.length === 0 && record.journal.length === 0) {
      await removeRecord(stateFolder, uuid)
    } else await writeRecord(stateFolder, { ...record, giveBack })
  } finally {
    await lock.release()
  }
}
