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

/** The kernel's refusals are no fault of ours, whichever file they are about. */
function toInternal(error: unknown): VhostkitError {
  if (error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM')) {
    return new VhostkitError('not-permitted', { sentence: `This user may not do that: ${error.message}.` })
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new VhostkitError('internal', { sentence: `vhostkit has a fault: ${text}` })
}

function describeCause(cause: unknown): string | null {
  if (cause === undefined || cause === null) return null
  return cause instanceof Error ? cause.message : String(cause)
}
