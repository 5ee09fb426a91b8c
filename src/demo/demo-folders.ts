import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readReceipts } from '../apply/receipt.js'
import { destroy } from '../apply/take-down.js'
import type { Folders } from '../core/plan/plan.js'
import { listFolder, makeFolder, readText, removeFolder, writeTextAtomic } from '../world/files.js'
import { isAlive, readProcess } from '../world/processes.js'

const prefix = 'vhostkit-demo-'

/** The demo's own folders, so that it never meets what was applied on this host. */
export interface DemoFolders {
  base: string
  folders: Folders
}

export async function makeDemoFolders(): Promise<DemoFolders> {
  const base = await mkdtemp(join(temporaryFolder(), prefix))
  const startTime = (await readProcess(process.pid))?.startTime ?? 0
  await writeTextAtomic(join(base, 'owner.json'), JSON.stringify({ pid: process.pid, startTime }))
  return { base, folders: foldersBelow(base) }
}

/** Takes down what demos left that were ended by SIGKILL: their receipts say what it is. */
export async function removeDeadDemos(say: (line: string) => void): Promise<void> {
  const parent = temporaryFolder()
  for (const name of (await listFolder(parent)).filter((entry) => entry.startsWith(prefix))) {
    const base = join(parent, name)
    const owner = parseOwner((await readText(join(base, 'owner.json')).catch(() => null)) ?? '')
    if (owner === null || (await isAlive(owner))) continue
    say(`taking down what the demo of pid ${owner.pid} left`)
    await takeDownAll(foldersBelow(base))
    await removeFolder(base)
  }
}

/** Destroys every deployment of the folders, without patience and without an end by Ctrl-C. */
export async function takeDownAll(folders: Folders): Promise<void> {
  await makeFolder(folders.state, 0o700)
  const { signal } = new AbortController()
  for (const { deployment } of await readReceipts(folders.state)) {
    await destroy(deployment, true, {
      folders,
      commandLine: 'vhostkit demo (cleaning up)',
      progress: () => undefined,
      signal,
      graceMs: 0,
      lockLimitMs: 5_000,
    })
  }
}

/** Socket paths must stay under 108 bytes, so a deep TMPDIR is no place for them. */
function temporaryFolder(): string {
  return tmpdir().length > 30 ? '/tmp' : tmpdir()
}

function foldersBelow(base: string): Folders {
  return { run: join(base, 'run'), state: join(base, 'state') }
}

function parseOwner(text: string): { pid: number; startTime: number } | null {
  try {
    const { pid, startTime } = JSON.parse(text) as Record<string, unknown>
    return typeof pid === 'number' && typeof startTime === 'number' ? { pid, startTime } : null
  } catch {
    return null
  }
}
