import { once } from 'node:events'
import { constants } from 'node:os'
import { execa } from 'execa'
import { VhostkitError } from '../core/errors.js'

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

/** Runs a program with an argument array, never through a shell. What it says is read, so it says it in one language. */
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
    env: { LC_ALL: 'C', ...options.env },
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
  /** How it ended, if it ended while we are still there; else null. */
  ended(): { exitCode: number | null; signal: string | null } | null
}

/**
 * Starts a program in a session of its own and lets go of it. Its output goes to
 * the open file `log`, not through us, since it will outlive us.
 */
export async function startDetached(argv: readonly string[], log: number): Promise<DetachedProgram> {
  const [program = '', ...args] = argv
  const output = log as 3 // any number is good; execa's type names only the first few
  const child = execa(program, args, {
    cwd: '/',
    detached: true,
    cleanup: false,
    buffer: false,
    reject: false,
    stdio: ['ignore', output, output],
  })
  let ended: ReturnType<DetachedProgram['ended']> = null
  void child.then((result) => {
    ended = { exitCode: result.exitCode ?? null, signal: result.signal ?? null }
  })
  child.unref()
  await once(child, 'spawn').catch((cause: Error) => {
    throw new VhostkitError('program-failed', { sentence: `${program} could not be started.`, cause })
  })
  return { pid: child.pid ?? 0, ended: () => ended }
}

/** A program that we talk with while it runs. It ends with us, at the latest. */
export interface PipedProgram extends DetachedProgram {
  write(text: string): void
  /** No more input comes: most programs end then. */
  closeInput(): void
  /** Hears what it prints, as it comes. */
  onOutput(listener: (text: string, stream: 'stdout' | 'stderr') => void): void
}

/**
 * Starts a program with its input and output in our hands. It has a session of its own, so
 * that Ctrl-C reaches only us, and we end it in our order.
 */
export async function startPiped(argv: readonly string[]): Promise<PipedProgram> {
  const [program = '', ...args] = argv
  const child = execa(program, args, { detached: true, cleanup: true, buffer: false, reject: false })
  let ended: ReturnType<DetachedProgram['ended']> = null
  void child.then((result) => {
    ended = { exitCode: result.exitCode ?? null, signal: result.signal ?? null }
  })
  // A program that has ended takes no more: that shows in ended(), not here.
  child.stdin.on('error', () => undefined)
  await once(child, 'spawn').catch((cause: Error) => {
    throw new VhostkitError('program-failed', { sentence: `${program} could not be started.`, cause })
  })
  return {
    pid: child.pid ?? 0,
    ended: () => ended,
    write: (text) => void child.stdin.write(text),
    closeInput: () => void child.stdin.end(),
    onOutput: (listener) => {
      for (const stream of ['stdout', 'stderr'] as const) {
        child[stream].setEncoding('utf8').on('data', (text: string) => listener(text, stream))
      }
    },
  }
}

/**
 * Runs a program that has the terminal, or whatever our input and output are, for itself.
 * @returns its exit code; as shells do, 128 and its number when a signal ended it
 */
export async function runAttached(argv: readonly string[]): Promise<number> {
  const [program = '', ...args] = argv
  const result = await execa(program, args, { stdio: 'inherit', buffer: false, reject: false })
  if (result.exitCode !== undefined) return result.exitCode
  if (result.signal !== undefined) return 128 + (constants.signals[result.signal] ?? 0)
  throw new VhostkitError('program-failed', {
    sentence: `${program} could not be started.`,
    cause: result.cause,
  })
}

interface Failure {
  timedOut: boolean
  stderr?: string | undefined
  originalMessage?: string | undefined
  exitCode?: number | undefined
  signal?: string | undefined
}

function describeFailure(program: string, args: readonly string[], failure: Failure): string {
  const name = [program, ...args.slice(0, 3)].join(' ')
  if (failure.timedOut) return `${name}: did not end in time`
  const said = (failure.stderr ?? '').trim().split('\n').at(-1) ?? ''
  if (said !== '') return `${name}: ${said}`
  if (failure.exitCode !== undefined) return `${name}: exit code ${failure.exitCode}`
  if (failure.signal !== undefined) return `${name}: ended by ${failure.signal}`
  return `${name}: ${failure.originalMessage ?? 'could not be started'}`
}
