/** One thing that `doctor` looked at. */
export interface Finding {
  subject: string
  level: 'ok' | 'note' | 'problem'
  /** What was found. */
  what: string
  /** Why it matters; empty when all is well. */
  why: string
  /** What to do; empty when there is nothing to do. */
  fix: string
}

export function fine(subject: string, what: string): Finding {
  return { subject, level: 'ok', what, why: '', fix: '' }
}

export function note(subject: string, what: string, why: string, fix: string): Finding {
  return { subject, level: 'note', what, why, fix }
}

export function problem(subject: string, what: string, why: string, fix: string): Finding {
  return { subject, level: 'problem', what, why, fix }
}
