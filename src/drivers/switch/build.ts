import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { VhostkitError } from '../../core/errors.js'
import { findProgram } from '../../host/versions.js'
import {
  listFolder,
  makeFolder,
  readOwner,
  readText,
  removeFolder,
  writeTextAtomic,
} from '../../world/files.js'
import { runProgram } from '../../world/run-program.js'

/** Debian's names for what a build needs; bin/setup has them, too. */
const packages = 'gcc libc6-dev meson ninja-build pkg-config libjansson-dev libnuma-dev liburcu-dev'
const programs = ['gcc', 'meson', 'ninja', 'pkg-config']
const libraries = ['jansson', 'liburcu-qsbr', 'numa']

/** Whole-program optimisation takes its time on a small machine. */
const buildLimitMs = 600_000

/** Whether the program at `built` is made of these sources. */
export async function isBuilt(sources: string, built: string): Promise<boolean> {
  const stamp = await readText(`${built}.sources`).catch(() => null)
  return stamp !== null && stamp.trim() === (await hashSources(sources))
}

/** Builds the switch of a package. The program appears whole, by one rename, so several may build at once. */
export async function buildSwitch(
  sources: string,
  built: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  await requireTools()
  const folder = dirname(built)
  await makeFolder(folder)
  await requireOwn(folder)
  const work = await mkdtemp(join(folder, 'build-'))
  try {
    await step('meson', ['setup', work, sources, '--buildtype=release'], say, signal)
    await step('ninja', ['-C', work, basename(built)], say, signal)
    await rename(join(work, basename(built)), built)
    await writeTextAtomic(`${built}.sources`, `${await hashSources(sources)}\n`, 0o644)
  } finally {
    await removeFolder(work)
  }
}

async function requireTools(): Promise<void> {
  const missing: string[] = []
  for (const program of programs) if ((await findProgram(program)) === null) missing.push(program)
  if (!missing.includes('pkg-config')) {
    for (const library of libraries) {
      const found = await runProgram('pkg-config', ['--exists', library])
      if (!found.ok) missing.push(library)
    }
  }
  if (missing.length === 0) return
  throw new VhostkitError('switch-not-buildable', {
    sentence: `The switch is not built yet, and to build it this host lacks: ${missing.join(', ')}.`,
    hint: `As root: apt-get install --no-install-recommends ${packages}. Then run the command again.`,
  })
}

/** What is run from here later, perhaps as root, must be nobody else's. */
async function requireOwn(folder: string): Promise<void> {
  const owner = await readOwner(folder)
  if (owner !== null && owner.uid === (process.geteuid?.() ?? 0) && (owner.mode & 0o022) === 0) return
  throw new VhostkitError('switch-not-buildable', {
    sentence: `${folder} belongs to another user, or others may write to it.`,
    hint: 'Remove it, or name another folder with VHOSTKIT_CACHE_DIR.',
  })
}

async function step(
  program: string,
  args: string[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  say(program)
  const result = await runProgram(program, args, { timeoutMs: buildLimitMs, signal })
  signal.throwIfAborted()
  if (result.ok) return
  const said = (result.stdout + result.stderr).trim().split('\n').slice(-8).join('\n')
  throw new VhostkitError('switch-not-buildable', {
    sentence: `The switch could not be built: ${result.failure}.`,
    hint: said,
  })
}

async function hashSources(folder: string): Promise<string> {
  const hash = createHash('sha256')
  for (const path of await listSources(folder, '')) {
    hash
      .update(`${path}\0`)
      .update(await readFile(join(folder, path)))
      .update('\0')
  }
  return hash.digest('hex')
}

async function listSources(folder: string, below: string): Promise<string[]> {
  const paths: string[] = []
  for (const name of (await listFolder(join(folder, below))).sort()) {
    const path = below === '' ? name : `${below}/${name}`
    if (/\.(c|h)$|^meson\.build$/.test(name)) paths.push(path)
    else if (!name.includes('.')) paths.push(...(await listSources(folder, path)))
  }
  return paths
}
