import { closeSync, openSync } from 'node:fs'
import { execa } from 'execa'

/** What came of a program that was run to its end. Never thrown: a failure is a value here. */
export interface ProgramResult {
  ok: boolean
  /** null when it was ended by a signal, ran out of time, or could not be started. */
  exitCode: number | null
  timedOut: boolean
  stdout: string
  stderr: string
  /** One sentence for people; empty when ok. */
  failure: string
}

export interface ProgramOptions {
  /** Every program has a limit; 10 s unless told. */
  timeoutMs?: number
  input?: string
  cwd?: string
  env?: Record<string, string>
  signal?: AbortSignal
}

/** Runs a program with an argument array, never through a shell. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const result = await execa(program, args, {
    reject: false,
    timeout: options.timeoutMs ?? 10_000,
    killSignal: 'SIGTERM',
    forceKillAfterDelay: 1_000,
    stripFinalNewline: false,
    maxBuffer: 16 * 1024 * 1024,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  })
  return {
    ok: !result.failed,
    exitCode: result.exitCode ?? null,
    timedOut: result.timedOut,
    stdout: result.stdout ?? '',
    stderr: result.stderr ?? '',
    failure: result.failed ? describeFailure(program, args, result) : '',
  }
}

/** A program that goes on after we end. */
export interface DetachedProgram {
  pid: number
  /** Settles when the program ends while we are still there. */
  ended: Promise<{ exitCode: number | null; signal: string | null }>
}

/** Starts a program in a session of its own, its output in a log file, and lets go of it. */
export async function startDetached(
  argv: readonly string[],
  logPath: string,
): Promise<DetachedProgram | string> {
  const [program = '', ...args] = argv
  const log = openSync(logPath, 'a', 0o600)
  try {
    const child = execa(program, args, {
      reject: false,
      detached: true,
      cleanup: false,
      buffer: false,
      cwd: '/',
      stdin: 'ignore',
      stdout: log,
      stderr: log,
    })
    if (child.pid === undefined) return (await child).originalMessage ?? `${program} could not be started`
    child.unref()
    const ended = child.then(({ exitCode, signal }) => ({
      exitCode: exitCode ?? null,
      signal: signal ?? null,
    }))
    return { pid: child.pid, ended }
  } finally {
    closeSync(log)
  }
}

function describeFailure(
  program: string,
  args: readonly string[],
  result: {
    timedOut: boolean
    stderr?: string
    originalMessage?: string
    exitCode?: number
    signal?: string
  },
): string {
  const name = [program, ...args.slice(0, 3)].join(' ')
  if (result.timedOut) return `${name}: did not end in time`
  const said = (result.stderr ?? '').trim().split('\n').at(-1) ?? ''
  if (said !== '') return `${name}: ${said}`
  if (result.exitCode !== undefined) return `${name}: exit code ${result.exitCode}`
  if (result.signal !== undefined) return `${name}: ended by ${result.signal}`
  return `${name}: ${result.originalMessage ?? 'could not be started'}`
}
