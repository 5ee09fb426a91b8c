import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { VhostkitError } from '../core/errors.js'

/** A program that goes on after we end. */
export interface DetachedProgram {
  pid: number
  /** How it ended, if it ended while we are still there; else null. */
  ended(): { exitCode: number | null; signal: string | null } | null
}

/**
 * Starts a program in a session of its own, its output in a log file, and lets
 * go of it. Not through execa, which is there for programs that we wait for: it
 * pipes output through us and ends its children when we end.
 */
export async function startDetached(argv: readonly string[], logPath: string): Promise<DetachedProgram> {
  const [program = '', ...args] = argv
  const log = openSync(logPath, 'a', 0o600)
  try {
    const child = spawn(program, args, { cwd: '/', detached: true, stdio: ['ignore', log, log] })
    let ended: ReturnType<DetachedProgram['ended']> = null
    child.on('exit', (exitCode, signal) => {
      ended = { exitCode, signal }
    })
    await once(child, 'spawn')
    child.unref()
    return { pid: child.pid ?? 0, ended: () => ended }
  } catch (cause) {
    throw new VhostkitError('program-failed', { sentence: `${program} could not be started.`, cause })
  } finally {
    closeSync(log)
  }
}
