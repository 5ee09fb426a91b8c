import type { Step } from '../core/steps/steps.js'
import type { JournalEntry, Receipt } from './receipt.js'

/** What a journal is kept in: the receipt of a deployment, or the record of a domain. */
export type JournalRecord = Pick<Receipt, 'status' | 'operation' | 'time' | 'reserved' | 'journal'> &
  Partial<Pick<Receipt, 'before' | 'boot'>>

/** What `apply` needs of a journal. */
export interface StepJournal {
  readonly receipt: Pick<JournalRecord, 'journal'>
  intend(step: Step): Promise<void>
  note(step: Step, facts: Record<string, number>): Promise<void>
  mark(step: Step, state: JournalEntry['state']): Promise<void>
}

/**
 * Writes down what is about to happen before it happens, so that a kill at any
 * moment leaves a known state: every touched thing has an entry.
 */
export class Journal<Kind extends JournalRecord = Receipt> implements StepJournal {
  readonly receipt: Kind
  readonly #store: (record: Kind) => Promise<void>
  #writing: Promise<void> = Promise.resolve()

  constructor(receipt: Kind, store: (record: Kind) => Promise<void>) {
    this.receipt = receipt
    this.#store = store
  }

  async begin(operation: string): Promise<void> {
    Object.assign(this.receipt, { status: 'changing', operation, journal: [] })
    await this.#write()
  }

  async intend(step: Step): Promise<void> {
    const { id, action, undo } = step
    this.receipt.journal.push({ step: id, action, undo, state: 'intended', facts: {} })
    await this.#write()
  }

  async note(step: Step, facts: Record<string, number>): Promise<void> {
    Object.assign(this.#entry(step).facts, facts)
    await this.#write()
  }

  async mark(step: Step, state: JournalEntry['state']): Promise<void> {
    const entry = this.#entry(step)
    const before = entry.state
    entry.state = state
    if (state === 'done') account(this.receipt, entry, 1)
    if (state === 'undone' && before === 'done') account(this.receipt, entry, -1)
    await this.#write()
  }

  async end(status: Receipt['status']): Promise<void> {
    this.receipt.status = status
    if (this.receipt.before !== undefined) Object.assign(this.receipt, { before: null })
    await this.#write()
  }

  /** Machines start side by side, and each write holds the whole receipt: one after the other. */
  #write(): Promise<void> {
    this.receipt.time = new Date().toISOString()
    // A write that failed was its caller's to report; the next one tries again.
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#store(this.receipt))
    return this.#writing
  }

  #entry(step: Step): JournalEntry {
    const entry = this.receipt.journal.find(({ step: id }) => id === step.id)
    if (entry === undefined) throw new Error(`step ${step.id} was never intended`)
    return entry
  }
}

/** Keeps the sum of the hugepages that we hold. */
function account(receipt: JournalRecord, { action }: JournalEntry, sign: 1 | -1): void {
  if (action.do === 'reserve-hugepages') addReserved(receipt, action, sign * action.pages)
  if (action.do === 'release-hugepages') addReserved(receipt, action, -sign * action.pages)
}

export function addReserved(
  receipt: Pick<Receipt, 'reserved'>,
  { node, pageBytes }: { node: number; pageBytes: number },
  pages: number,
): void {
  const held = receipt.reserved.find((entry) => entry.node === node && entry.pageBytes === pageBytes)
  const sum = Math.max(0, (held?.pages ?? 0) + pages)
  const others = receipt.reserved.filter((entry) => entry !== held)
  receipt.reserved = sum === 0 ? others : [...others, { node, pageBytes, pages: sum }]
}
