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
    const record = there ?? newRecord(uuid, name, await readBootId())
    const giveBack = change(record.giveBack)
    const { reserved, journal, owed } = record
    if ([giveBack, reserved, journal, owed].every((part) => part.length === 0)) {
      await removeRecord(stateFolder, uuid)
    } else await writeRecord(stateFolder, { ...record, status: 'applied', giveBack })
  } finally {
    await lock.release()
  }
}
