import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface CliRun {
  child: ChildProcess
  /** What it has said so far. */
  output: { stdout: string; stderr: string }
  /** Settles when a line of stderr (or stdout) matches; rejects when the program ends without one. */
  line(pattern: RegExp, stream?: 'stdout' | 'stderr'): Promise<string>
  /** Settles when the program has ended. */
  result: Promise<CliResult>
}

export interface CliResult {
  exitCode: number | null
  signal: string | null
  stdout: string
  stderr: string
  ms: number
}

/** Starts the command line tool, or another program, as a user would. What runs in `script` hears what the caller writes. */
export function startCli(
  args: string[],
  env: Record<string, string> = {},
  program = [process.execPath, 'bin/vhostkit.js'],
  input = '',
): CliRun {
  const begin = performance.now()
  const [file = '', ...first] = program
  const child = spawn(file, [...first, ...args], {
    env: { ...process.env, ...env },
    stdio: [input === '' && program[0] !== 'script' ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  if (input !== '') child.stdin?.end(input)
  const output = { stdout: '', stderr: '' }
  const watchers = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      for (const watch of watchers) watch()
    })
  }
  const result = once(child, 'close').then(([exitCode, signal]) => {
    return { exitCode, signal, ...output, ms: performance.now() - begin } as CliResult
  })
  return {
    child,
    output,
    result,
    line: (pattern, stream = 'stderr') => watchLine(pattern, stream, output, watchers, result),
  }
}

/** Runs the tool to its end. */
export function runCli(args: string[], env: Record<string, string> = {}): Promise<CliResult> {
  return startCli(args, env).result
}

function watchLine(
  pattern: RegExp,
  stream: 'stdout' | 'stderr',
  output: { stdout: string; stderr: string },
  watchers: Set<() => void>,
  result: Promise<CliResult>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const watch = () => {
      const match = pattern.exec(output[stream])
      if (match === null) return
      watchers.delete(watch)
      resolve(match[0])
    }
    watchers.add(watch)
    watch()
    result.then((ended) => reject(new Error(`ended without ${pattern}:\n${ended[stream]}`)), reject)
  })
}
