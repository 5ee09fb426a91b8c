import { Journal } from '../apply/journal.js'
import { readOrphans } from '../apply/orphan-ports.js'
import type { Folders } from '../core/plan/plan.js'
import { releaseHugepages } from '../core/steps/make-step.js'
import type { Action } from '../core/steps/steps.js'
import { deletePort, readPortsIfAny } from '../drivers/switch/ports.js'
import { switchControl } from '../drivers/switch/run-folder.js'
import { withLimit } from '../world/wait-for.js'
import { type DomainRecord, removeRecord, writeRecord } from './domain-record.js'
import { hookHands } from './hook-hands.js'

/**
 * Gives back what a record says, asking the switch until `end` (of `performance.now`) at most. Ports that it
 * would not give up by then stay in the record, for a later hook. To be called under the lock of the hooks.
 */
export async function giveBack(record: DomainRecord, folders: Folders, end: number): Promise<void> {
  const { state } = folders
  const forgotten = await forgetOwed(record.owed, folders, end)
  const refused = await carryOut(record.giveBack, end)
  await givePagesBack(record, state)
  const owed = [...record.owed.filter((name) => !forgotten.includes(name)), ...refused]
  if (owed.length === 0) await removeRecord(state, record.uuid)
  else await writeRecord(state, { ...record, journal: [], promised: [], giveBack: [], owed })
}

/** @returns the ports that the switch still has: it is off, or does not answer. */
async function carryOut(actions: Action[], end: number): Promise<string[]> {
  const refused: string[] = []
  for (const action of actions) {
    const task =
      action.do === 'delete-port'
        ? deletePort(action.control, action.name, msUntil(end))
        : hookHands.perform(action, { graceMs: 0, note: async () => undefined })
    const isDone = await task.catch(() => action.do !== 'delete-port')
    if (isDone === false && action.do === 'delete-port') refused.push(action.name)
  }
  return refused
}

/**
 * Asks for ports once more. Those that somebody has since, as their files or a deployment tell, are none of
 * ours any more. @returns those that need not be asked for again.
 */
async function forgetOwed(owed: string[], folders: Folders, end: number): Promise<string[]> {
  if (owed.length === 0) return []
  const control = switchControl(folders)
  const read = async () => ((await readPortsIfAny(control)) === null ? null : readOrphans(folders))
  const orphans = await withLimit('the switch to tell its ports', msUntil(end), read()).catch(() => null)
  if (orphans === null) return []
  const still = owed.filter((name) => orphans.includes(name))
  const refused = await carryOut(
    still.map((name) => ({ do: 'delete-port', control, name })),
    end,
  )
  return owed.filter((name) => !refused.includes(name))
}

function msUntil(end: number): number {
  return Math.max(1, end - performance.now())
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
