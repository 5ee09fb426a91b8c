import { closeSync, constants, fchownSync, fstatSync, openSync } from 'node:fs'
import { type DetachedProgram, startDetached } from './run-program.js'

export interface LoggedStart {
  /** Who the program becomes, when that is another user: the log is made his. */
  owner?: { uid: number; gid: number } | null
  /** Of the program, in place of ours. */
  umask?: number
}

/** Starts a program that goes on after we end, its output appended to a log file of its user; never through a link. */
export async function startLogged(
  argv: readonly string[],
  logPath: string,
  { owner = null, umask }: LoggedStart = {},
): Promise<DetachedProgram> {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants
  const log = openSync(logPath, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
  const before = process.umask()
  try {
    if (owner !== null && fstatSync(log).uid === process.geteuid?.()) fchownSync(log, owner.uid, owner.gid)
    // It is started before the first await in there, so nobody else meets this umask.
    if (umask !== undefined) process.umask(umask)
    const started = startDetached(argv, log)
    process.umask(before)
    return await started
  } finally {
    process.umask(before)
    closeSync(log)
  }
}
