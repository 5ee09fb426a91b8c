import { link, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder, readText, writeTextAtomic } from './files.js'
import { isAlive, type ProcessId, readProcess } from './processes.js'
import { WaitedTooLong, waitFor } from './wait-for.js'

/** Who holds a lock. */
export interface LockHolder extends ProcessId {
  command: string
  since: string
}

export type LockResult =
  | { taken: true; release: () => Promise<void> }
  | { taken: false; holder: LockHolder | null }

/**
 * Takes the one lock of a state folder. The lock is a file that names its
 * holder by pid and start time, so a holder that crashed never blocks anyone.
 */
export async function takeLock(
  folder: string,
  command: string,
  limitMs: number,
  signal?: AbortSignal,
): Promise<LockResult> {
  const path = join(folder, 'lock')
  const mine = join(folder, `lock.${process.pid}`)
  await makeFolder(folder, 0o700)
  await writeTextAtomic(mine, JSON.stringify(await describeMyself(command)))
  try {
    await waitFor({ what: `the lock ${path}`, limitMs, everyMs: 100, signal }, () => tryToTake(mine, path))
    return { taken: true, release: () => release(path) }
  } catch (error) {
    if (!(error instanceof WaitedTooLong)) throw error
    return { taken: false, holder: await readHolder(path) }
  } finally {
    await unlink(mine).catch(() => undefined)
  }
}

/** The holder that is written in a lock file; null when there is none or it cannot be read. */
export async function readHolder(path: string): Promise<LockHolder | null> {
  const text = await readText(path).catch(() => null)
  return text === null ? null : parseHolder(text)
}

export function parseHolder(text: string): LockHolder | null {
  try {
    const { pid, startTime, command, since } = JSON.parse(text) as Record<string, unknown>
    if (typeof pid !== 'number' || typeof startTime !== 'number') return null
    return { pid, startTime, command: String(command), since: String(since) }
  } catch {
    return null
  }
}

/** link() makes the lock appear complete, holder and all, and fails when there is one. */
async function tryToTake(mine: string, path: string): Promise<boolean> {
  if (await linkExclusive(mine, path)) return true
  const holder = await readHolder(path)
  if (holder !== null && (await isAlive(holder))) return false
  return takeOver(mine, path)
}

/**
 * Two processes may find the same dead holder at once: only the one that gets
 * the take-over file may remove the lock, and it looks again before it does.
 */
async function takeOver(mine: string, path: string): Promise<boolean> {
  const turn = `${path}.takeover`
  if (!(await linkExclusive(mine, turn))) {
    const other = await readHolder(turn)
    if (other === null || !(await isAlive(other))) await unlink(turn).catch(() => undefined)
    return false
  }
  try {
    const holder = await readHolder(path)
    if (holder !== null && (await isAlive(holder))) return false
    await unlink(path).catch(() => undefined)
    return await linkExclusive(mine, path)
  } finally {
    await unlink(turn).catch(() => undefined)
  }
}

async function release(path: string): Promise<void> {
  const holder = await readHolder(path)
  if (holder?.pid === process.pid) await unlink(path).catch(() => undefined)
}

async function linkExclusive(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function describeMyself(command: string): Promise<LockHolder> {
  const startTime = (await readProcess(process.pid))?.startTime ?? 0
  return { pid: process.pid, startTime, command, since: new Date().toISOString() }
}
