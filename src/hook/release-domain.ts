import { join } from 'node:path'
import { isLeft } from '../apply/apply.js'
import { VhostkitError } from '../core/errors.js'
import type { Action } from '../core/steps/steps.js'
import { takeLock } from '../world/lock.js'
import { type DomainRecord, readRecord, readRecords, settleRecords, writeRecord } from './domain-record.js'
import { giveBack } from './give-back.js'
import type { HookSettings } from './settings.js'

const lockLimitMs = 10_000
/** A switch that is stopped never answers: libvirt waits this long, whatever the number of ports. */
const switchLimitMs = 1_500

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

/**
 * Gives back what was taken for a domain, and only that; and what an earlier hook could not give back of
 * others that ended. @returns false when there was nothing.
 */
export async function releaseDomain(uuid: string, settings: HookSettings): Promise<boolean> {
  const { state } = settings.folders
  const record = await readRecord(state, uuid)
  // From here on any hook may do it: whatever stops this one, the next goes on.
  if (record !== null) {
    await writeRecord(state, { ...record, status: 'stopped', giveBack: takenBy(record) })
  }
  if (!(await readRecords(state)).some(isStopped)) return false
  const lock = await takeLock(hookLockFolder(state), 'vhostkit hook', lockLimitMs)
  if (!lock.taken)
    throw new VhostkitError('lock-held', { sentence: 'Hooks of other domains hold their lock.' })
  try {
    const end = performance.now() + switchLimitMs
    const stopped = (await settleRecords(state)).filter(isStopped)
    const own = stopped.find((other) => other.uuid === uuid)
    if (own !== undefined) await giveBack(own, settings.folders, end)
    for (const other of stopped.filter((one) => one !== own)) {
      await giveBack(other, settings.folders, end).catch(() => undefined)
    }
    return true
  } finally {
    await lock.release()
  }
}

/** Of a `prepare` that did not end only what it began, and did not undo itself. */
function takenBy({ status, giveBack, journal }: DomainRecord): Action[] {
  if (status !== 'changing') return giveBack
  const begun = journal.filter(isLeft).map(({ undo }) => JSON.stringify(undo))
  return giveBack.filter((action) => begun.includes(JSON.stringify(action)))
}

function isStopped({ status }: DomainRecord): boolean {
  return status === 'stopped'
}
