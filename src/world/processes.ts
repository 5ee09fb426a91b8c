import { listFolder, readLink, readText } from './files.js'

/** A process, told apart from a later one with the same pid by its start time (ticks since boot). */
export interface ProcessId {
  pid: number
  startTime: number
}

/** What /proc/PID/stat says; null when there is no such process. */
export interface ProcessStat {
  pid: number
  name: string
  state: string
  parent: number
  startTime: number
}

/** Takes a line of /proc/PID/stat apart; the name in brackets may itself hold brackets and blanks. */
export function parseProcessStat(text: string): ProcessStat | null {
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  if (open < 0 || close < open) return null
  const rest = text.slice(close + 2).split(' ')
  const startTime = Number(rest[19])
  const pid = Number.parseInt(text, 10)
  if (!Number.isInteger(startTime) || !Number.isInteger(pid)) return null
  return { pid, name: text.slice(open + 1, close), state: rest[0] ?? '', parent: Number(rest[1]), startTime }
}

export async function readProcess(pid: number): Promise<ProcessStat | null> {
  // A process that ends while its file is read gives ESRCH: it is gone as well.
  const text = await readText(`/proc/${pid}/stat`).catch(() => null)
  return text === null ? null : parseProcessStat(text)
}

/** Whether the process runs. A zombie is dead: where PID 1 reaps late, `kill -0` succeeds on it. */
export async function isAlive(process: number | ProcessId): Promise<boolean> {
  const pid = typeof process === 'number' ? process : process.pid
  const found = await readProcess(pid)
  if (found === null || found.state === 'Z' || found.state === 'X') return false
  return typeof process === 'number' || found.startTime === process.startTime
}

/** The argument array of a running process; null when it is gone. */
export async function readArguments(pid: number): Promise<string[] | null> {
  const text = await readText(`/proc/${pid}/cmdline`).catch(() => null)
  if (text === null || text === '') return null
  return text.replace(/\0$/, '').split('\0')
}

/** Whether a path means the same file to it as to us. */
export async function seesOurFiles(pid: number): Promise<boolean> {
  const [its, ours] = await Promise.all([pid, 'self'].map((who) => readLink(`/proc/${who}/ns/mnt`)))
  return its !== null && its === ours
}

/** The pids of the processes whose arguments match, without our own. */
export async function findProcessIds(matches: (argv: string[]) => boolean): Promise<number[]> {
  const pids = (await listFolder('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found: number[] = []
  for (const pid of pids.filter((other) => other !== process.pid)) {
    const argv = await readArguments(pid)
    if (argv !== null && matches(argv) && (await isAlive(pid))) found.push(pid)
  }
  return found
}

/** Sends a signal to one process; false when it is gone already. 0 and below are groups, and 0 our own: never meant. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  if (!Number.isInteger(pid) || pid <= 1) throw new RangeError(`no process of ours has pid ${pid}`)
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
