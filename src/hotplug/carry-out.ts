import { apply } from '../apply/apply.js'
import type { StepJournal } from '../apply/journal.js'
import type { Operation } from '../apply/operation.js'
import type { JournalEntry } from '../apply/receipt.js'
import type { Step } from '../core/steps/steps.js'
import { makeHands } from '../drivers/hands.js'

/** A guest under load lets go of a card within seconds; one without a driver never does. */
const verifyLimitMs = 15_000

/** Carries steps on one domain out, each checked, all undone when one fails. What a crash leaves is in its record. */
export async function carryOutSteps(steps: readonly Step[], operation: Operation): Promise<void> {
  const { folders, progress, signal } = operation
  const hands = makeHands(folders.run, async () => false)
  const options = { hands, journal: memoryJournal(), progress, signal, graceMs: 0, verifyLimitMs }
  await apply(steps, { ...options, onFailure: 'undo' })
}

function memoryJournal(): StepJournal {
  const journal: JournalEntry[] = []
  return {
    receipt: { journal },
    intend: async ({ id, action, undo }) =>
      void journal.push({ step: id, action, undo, state: 'intended', facts: {} }),
    note: async () => undefined,
    mark: async ({ id }, state) => {
      const entry = journal.find(({ step }) => step === id)
      if (entry !== undefined) entry.state = state
    },
  }
}
