/** What native/guest/probe.c reports of one window. */
export interface ProbeReport {
  sent: number
  answered: number
  duplicates: number
  lost: number
  /** The longest time between two answers, the open one included. */
  gapMs: number
  /** Time since the last answer. */
  sinceMs: number
}

/** "sent=101 answered=101 … gap_us=5259 since_us=1016" */
export function parseProbeReport(text: string): ProbeReport {
  const values = new Map(
    text
      .trim()
      .split(' ')
      .map((pair) => pair.split('=') as [string, string]),
  )
  const read = (key: string) => Number(values.get(key) ?? 0)
  return {
    sent: read('sent'),
    answered: read('answered'),
    duplicates: read('duplicates'),
    lost: read('lost'),
    gapMs: read('gap_us') / 1000,
    sinceMs: read('since_us') / 1000,
  }
}
