import { VhostkitError } from '../core/errors.js'
import type { Folders } from '../core/plan/plan.js'
import type { Step } from '../core/steps/steps.js'
import { makeHands } from '../drivers/hands.js'
import { readMachine } from '../drivers/machines.js'
import { takeLock } from '../world/lock.js'
import { apply, type Progress } from './apply.js'
import { Journal } from './journal.js'
import { type Receipt, writeReceipt } from './receipt.js'

/** Who does something, where, and how it is followed. */
export interface Operation {
  folders: Folders
  /** The words of the command line: for the lock's holder and the receipt. */
  commandLine: string
  progress(progress: Progress): void
  signal: AbortSignal
  /** How long a machine may take to shut down by itself. */
  graceMs: number
  /** How long to wait for another CLI at work. */
  lockLimitMs: number
}

/** Holds the one lock while the task runs, or says who holds it. */
export async function withLock<T>(
  operation: Pick<Operation, 'folders' | 'commandLine' | 'signal' | 'lockLimitMs'>,
  task: () => Promise<T>,
): Promise<T> {
  const { folders, commandLine, signal, lockLimitMs } = operation
  const lock = await takeLock(folders.state, commandLine, lockLimitMs, signal)
  if (!lock.taken) {
    const { holder } = lock
    const who =
      holder === null ? 'another process' : `"${holder.command}" (pid ${holder.pid}, since ${holder.since})`
    throw new VhostkitError('lock-held', {
      sentence: `Waited ${lockLimitMs / 1000} s for the lock of ${folders.state}; ${who} holds it.`,
    })
  }
  try {
    return await task()
  } finally {
    await lock.release()
  }
}

/** Carries out steps under the journal of a receipt. */
export async function carryOut(
  steps: readonly Step[],
  receipt: Receipt,
  operation: Operation,
  onFailure: 'undo' | 'continue',
): Promise<Journal> {
  const { folders, commandLine, progress, signal, graceMs } = operation
  const journal = new Journal(receipt, (changed) => writeReceipt(folders.state, changed))
  await journal.begin(commandLine)
  const hands = makeHands(folders.run, (machine) => isRunning(steps, machine))
  await apply(steps, { hands, journal, progress, signal, graceMs, onFailure })
  return journal
}

/** A machine that is no longer wanted stands in the step that stops it, nowhere else. */
async function isRunning(steps: readonly Step[], name: string): Promise<boolean> {
  for (const { action } of steps) {
    if (!('machine' in action) || action.machine.name !== name) continue
    return (await readMachine(action.machine)).running
  }
  return false
}
