import { closeSync, openSync } from 'node:fs'
import { type DetachedProgram, startDetached } from './run-program.js'

/** Starts a program that goes on after we end, its output appended to a log file of its user. */
export async function startLogged(argv: readonly string[], logPath: string): Promise<DetachedProgram> {
  const log = openSync(logPath, 'a', 0o600)
  try {
    return await startDetached(argv, log)
  } finally {
    closeSync(log)
  }
}
