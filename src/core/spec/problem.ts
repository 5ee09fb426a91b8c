import { type ErrorCode, type ExitCode, errorTable } from '../errors.js'

/**
 * One thing that stands between a spec and its plan. Problems are collected,
 * never thrown one by one, and shown like a compiler's messages.
 */
export interface Problem {
  code: ErrorCode
  /** Name of the spec file; empty when the problem is the host's. */
  file: string
  /** From 1; 0 when there is no place in the text. */
  line: number
  column: number
  /** "machines[0].memory"; empty for the whole document. */
  path: string
  expected: string
  found: string
  hint: string
}

/** A problem without its place: the checks know only paths; `parseSpec` adds the place. */
export type Complaint = Pick<Problem, 'code' | 'expected' | 'found'> & { path: PathPart[]; hint?: string }

export type PathPart = string | number

/** "machines[0].memory" from ['machines', 0, 'memory']. */
export function showPath(path: PathPart[]): string {
  return path.map(showPart).join('').replace(/^\./, '')
}

function showPart(part: PathPart): string {
  if (typeof part === 'number') return `[${part}]`
  return /^[\w-]{1,40}$/.test(part) ? `.${part}` : `[${JSON.stringify(part.slice(0, 40))}]`
}

/** The exit code for some problems: a spec to correct comes before a host that cannot. */
export function exitCodeOf(problems: Problem[]): ExitCode {
  const codes = problems.map(({ code }) => errorTable[code].exitCode)
  return codes.length === 0 ? 0 : codes.includes(3) ? 3 : Math.max(...codes) === 4 ? 4 : 1
}
