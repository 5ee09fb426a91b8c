import type { Action, Check } from '../core/steps/steps.js'

/** What a driver gets beside the action. */
export interface DriverContext {
  signal?: AbortSignal | undefined
  /** How long a machine may take to shut down by itself before it is ended. */
  graceMs: number
  /** Writes into the journal, before anything is touched, what an undo after a crash must know. */
  note(facts: Record<string, number>): Promise<void>
}

/** What a check found; `found` is one sentence for people. */
export interface Verdict {
  ok: boolean
  found: string
}

export type ActionOf<Verb extends Action['do']> = Extract<Action, { do: Verb }>
export type CheckOf<Name extends Check['expect']> = Extract<Check, { expect: Name }>

/** Carries out each action: the key is the action's verb. */
export type Performers = {
  [Verb in Action['do']]: (action: ActionOf<Verb>, context: DriverContext) => Promise<void>
}

/** Reads back whether what a step promised is true. */
export type Checkers = { [Name in Check['expect']]: (check: CheckOf<Name>) => Promise<Verdict> }

/** The hands that `apply` works with; tests give it others. */
export interface Hands {
  perform(action: Action, context: DriverContext): Promise<void>
  check(check: Check): Promise<Verdict>
}
