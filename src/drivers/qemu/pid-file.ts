import { readText, writeTextAtomic } from '../../world/files.js'
import { findProcessIds, isAlive, readArguments, readProcess } from '../../world/processes.js'

/**
 * Written by us as soon as QEMU is spawned, "PID STARTTIME": QEMU's own
 * -pidfile comes only after it found its vhost-user peers, which may be never.
 */
export async function writePidFile(path: string, pid: number): Promise<void> {
  const startTime = (await readProcess(pid))?.startTime ?? 0
  await writeTextAtomic(path, `${pid} ${startTime}\n`)
}

export function parsePidFile(text: string): { pid: number; startTime: number | null } | null {
  const match = /^(\d+)(?: (\d+))?\s*$/.exec(text)
  if (match === null) return null
  return { pid: Number(match[1]), startTime: match[2] === undefined ? null : Number(match[2]) }
}

/**
 * The pid of the machine that runs; null when none does. A later process with that pid is not it, and a file that
 * names a wrong one hides no QEMU: a second one would write to the same disks.
 */
export async function readRunningPid(pidFile: string, qmpSocket: string): Promise<number | null> {
  const written = parsePidFile((await readText(pidFile)) ?? '')
  return written !== null && (await isMachine(written, qmpSocket)) ? written.pid : findStarted(pidFile)
}

async function isMachine(
  { pid, startTime }: { pid: number; startTime: number | null },
  qmpSocket: string,
): Promise<boolean> {
  if (!(await isAlive(startTime === null ? pid : { pid, startTime }))) return false
  return (await readArguments(pid))?.some((word) => word.includes(qmpSocket)) ?? false
}

/** A CLI that was killed right after it spawned QEMU wrote no pid file; QEMU's own arguments name it. */
async function findStarted(pidFile: string): Promise<number | null> {
  const [pid = null] = await findProcessIds((argv) => argv[argv.indexOf('-pidfile') + 1] === pidFile)
  return pid
}
