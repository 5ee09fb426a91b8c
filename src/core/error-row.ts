/** 0 done · 1 failed · 2 wrong usage · 3 spec refused · 4 host cannot · 5 would change · 255 ssh did not get in. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 255

export interface ErrorRow {
  exitCode: ExitCode
  /** What went wrong, when the place that raised it has nothing more exact. */
  sentence: string
  /** What to do next. */
  hint: string
}

export const row = (exitCode: ExitCode, sentence: string, hint: string): ErrorRow => ({
  exitCode,
  sentence,
  hint,
})
