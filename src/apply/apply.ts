import { VhostkitError } from '../core/errors.js'
import type { Action, Step } from '../core/steps/steps.js'
import type { Hands } from '../drivers/driver.js'
import { WaitedTooLong, waitFor } from '../world/wait-for.js'
import type { StepJournal } from './journal.js'
import type { JournalEntry } from './receipt.js'

export interface Progress {
  step: Step
  state: 'start' | 'done' | 'failed' | 'undone'
}

export interface ApplyOptions {
  hands: Hands
  journal: StepJournal
  progress(progress: Progress): void
  signal?: AbortSignal | undefined
  /** How long a machine may take to shut down by itself. */
  graceMs: number
  /** `undo`: old or new, never between. `continue`: for taking down, where less is always better. */
  onFailure: 'undo' | 'continue'
  /** How long what a step promised may take to be seen. */
  verifyLimitMs?: number
}

/** What a step promised is mostly true at once; sockets and processes may take a moment. */
const usualVerifyLimitMs = 3_000

/** Carries out steps in order, checks each by reading the host back, and undoes all when one fails. */
export async function apply(steps: readonly Step[], options: ApplyOptions): Promise<void> {
  const failures: unknown[] = []
  const touched: Step[] = []
  for (const group of groupSteps(steps)) {
    const results = await Promise.allSettled(
      group.map(async (step) => {
        if (options.onFailure === 'undo') options.signal?.throwIfAborted()
        touched.push(step)
        await carryOut(step, options)
      }),
    )
    failures.push(...results.filter((result) => result.status === 'rejected').map(({ reason }) => reason))
    if (failures.length > 0 && options.onFailure === 'undo') {
      const left = await undoAll(touched.reverse(), options)
      throw describeFailure(failures[0], left)
    }
  }
  if (failures.length > 0) throw failures[0]
}

/** Machines that follow each other start and stop side by side: their boots are what takes time. */
export function groupSteps(steps: readonly Step[]): Step[][] {
  const groups: Step[][] = []
  for (const step of steps) {
    const last = groups.at(-1)
    const verb = step.action.do
    const sideBySide = verb === 'start-machine' || verb === 'stop-machine'
    if (sideBySide && last?.[0]?.action.do === verb) last.push(step)
    else groups.push([step])
  }
  return groups
}

async function carryOut(step: Step, options: ApplyOptions): Promise<void> {
  const { hands, journal, progress, signal, graceMs } = options
  progress({ step, state: 'start' })
  await journal.intend(step)
  try {
    await hands.perform(step.action, { signal, graceMs, note: (facts) => journal.note(step, facts) })
    await verify(step, hands, options.verifyLimitMs ?? usualVerifyLimitMs)
    await journal.mark(step, 'done')
    progress({ step, state: 'done' })
  } catch (error) {
    await journal.mark(step, 'failed')
    progress({ step, state: 'failed' })
    throw error
  }
}

async function verify(step: Step, hands: Hands, limitMs: number): Promise<void> {
  let found = ''
  try {
    await waitFor({ what: `the host to show: ${step.label}`, limitMs }, async () => {
      const verdict = await hands.check(step.verify)
      found = verdict.found
      return verdict.ok
    })
  } catch (error) {
    if (!(error instanceof WaitedTooLong)) throw error
    throw new VhostkitError('step-failed', {
      sentence: `${step.label}: done, but ${found || 'it cannot be seen'}.`,
      cause: error,
    })
  }
}

/**
 * A reservation that failed gave its pages back, and a file or folder that could not be made is not there:
 * undoing it would take pages of someone else, or remove what was there before.
 */
function undoesItself({ do: verb }: Action): boolean {
  return verb === 'reserve-hugepages' || verb === 'make-file' || verb === 'make-folder'
}

/** Whether something of a step may be there that its undo is to take away. */
export function isLeft({ action, undo, state }: JournalEntry): boolean {
  const gaveBack = state === 'failed' && undoesItself(action)
  return undo !== null && state !== 'undone' && !gaveBack
}

/** Undoes in reverse, the failed step too: it may have happened in part. Says what could not be undone. */
async function undoAll(steps: readonly Step[], options: ApplyOptions): Promise<string[]> {
  const left: string[] = []
  for (const step of steps) {
    if (step.undo === null) continue
    const entry = options.journal.receipt.journal.find(({ step: id }) => id === step.id)
    if (entry === undefined || !isLeft(entry)) continue
    try {
      // What could not even be written down was not begun.
      const wasBegun = entry.state !== 'intended'
      if (wasBegun) await options.hands.perform(step.undo, { graceMs: 0, note: async () => undefined })
      await options.journal.mark(step, 'undone')
      options.progress({ step, state: 'undone' })
    } catch (error) {
      left.push(`${step.label}: ${error instanceof Error ? error.message : error}`)
    }
  }
  return left
}

function describeFailure(error: unknown, left: string[]): unknown {
  if (!(error instanceof VhostkitError)) return error
  const outcome = left.length === 0 ? 'What was done before is undone.' : `Not undone: ${left.join('; ')}.`
  const { code, hint, cause } = error
  return new VhostkitError(code, { sentence: `${error.sentence} ${outcome}`, hint, cause })
}
