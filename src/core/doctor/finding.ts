import type { FindingCode } from './finding-table.js'
import type { Repair } from './repair.js'

/** One thing that `doctor` looked at. */
export interface Finding {
  /** Stable; `vhostkit explain CODE` says more. null when all is well. */
  code: FindingCode | null
  subject: string
  level: 'ok' | 'note' | 'problem'
  /** What was found. */
  what: string
  /** Why it matters; empty when all is well. */
  why: string
  /** What to do, with the command; empty when there is nothing to do. */
  fix: string
  /** What `doctor --fix` would do; null where that is not for a program to decide. */
  repair: Repair | null
}

export function fine(subject: string, what: string): Finding {
  return { code: null, subject, level: 'ok', what, why: '', fix: '', repair: null }
}

export function note(
  code: FindingCode,
  subject: string,
  what: string,
  why: string,
  fix: string,
  repair: Repair | null = null,
): Finding {
  return { code, subject, level: 'note', what, why, fix, repair }
}

export function problem(
  code: FindingCode,
  subject: string,
  what: string,
  why: string,
  fix: string,
  repair: Repair | null = null,
): Finding {
  return { code, subject, level: 'problem', what, why, fix, repair }
}
