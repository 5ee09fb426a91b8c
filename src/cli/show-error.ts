import { VhostkitError } from '../core/errors.js'
import type { Problem } from '../core/spec/problem.js'
import { showProblems } from '../core/spec/show-problems.js'
import type { CommandResult } from './command.js'

/** An error as people and as programs read it; `verbose` adds what lies below it to the text. */
export function describeError(error: unknown, verbose = false): CommandResult {
  const known = error instanceof VhostkitError ? error : toInternal(error)
  const { code, sentence, hint, exitCode } = known
  const problems = readProblems(known)
  const cause = describeCause(known.cause)
  const shown = { code, sentence, hint, ...(cause === null ? {} : { cause }) }
  return {
    text: `${showProblems(problems)}vhostkit: ${sentence} [${code}]${showHint(hint, problems)}${verbose ? showCauses(known.cause) : ''}`,
    data: { error: problems.length === 0 ? shown : { ...shown, problems } },
    exitCode,
  }
}

/** The problems say what to do themselves. */
function showHint(hint: string, problems: Problem[]): string {
  return problems.length > 0 || hint === '' ? '' : `\n  ${hint}`
}

function showCauses(cause: unknown): string {
  const shown = describeCause(cause)
  if (shown === null) return ''
  return `\n  because: ${shown}${cause instanceof Error ? showCauses(cause.cause) : ''}`
}

function readProblems(error: VhostkitError): Problem[] {
  return 'problems' in error ? (error.problems as Problem[]) : []
}

/** What the kernel refuses is no fault of ours, whichever file it is about. */
function toInternal(error: unknown): VhostkitError {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    const { code, message } = error
    if (/^(EACCES|EPERM|EROFS)$/.test(code))
      return new VhostkitError('not-permitted', { sentence: `This user may not do that: ${message}.` })
    const noFolder = 'syscall' in error && error.syscall === 'mkdir'
    if (noFolder || /^(ENOSPC|EDQUOT|ENOTDIR|ENAMETOOLONG|ELOOP)$/.test(code))
      return new VhostkitError('file-failed', { sentence: `That could not be written: ${message}.` })
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new VhostkitError('internal', { sentence: `vhostkit has a fault: ${text}` })
}

function describeCause(cause: unknown): string | null {
  if (cause === undefined || cause === null) return null
  return cause instanceof Error ? cause.message : String(cause)
}
