import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import { VhostkitError } from '../core/errors.js'
import { makeFolder, readText, removeEmptyFolder, removeFile, writeTextAtomic } from '../world/files.js'
import type { ArtifactFile } from './artifact-files.js'

/** What of a folder is ours: the hashes that a file of ours may have, by its name. */
type Manifest = Record<string, string[]>

const manifestName = 'manifest.json'

/**
 * Writes rendered files into a folder, with a list of them by which the next run knows its own. What somebody
 * else wrote or edited there is refused before anything is touched, unless `force`.
 * @returns the paths written
 */
export async function writeArtifacts(
  folder: string,
  files: readonly ArtifactFile[],
  force: boolean,
): Promise<string[]> {
  await makeFolder(folder)
  const before = await readManifest(`${folder}/${manifestName}`, force)
  const foreign: string[] = []
  for (const { name, text } of files) {
    const found = await readText(`${folder}/${name}`)
    if (found !== null && found !== text && !before[name]?.includes(hash(found))) foreign.push(name)
  }
  if (foreign.length > 0 && !force) {
    throw new VhostkitError('file-exists', {
      sentence: `${folder} has files that were not written by vhostkit, or were edited since: ${foreign.join(', ')}. Nothing was written.`,
      hint: 'Choose another folder, or say --force.',
    })
  }
  const after = Object.fromEntries(files.map(({ name, text }) => [name, [hash(text)]]))
  // Both generations, so that a run that is cut off leaves only files that the next one knows.
  const both = { ...before, ...after }
  for (const name of Object.keys(after)) both[name] = [...(before[name] ?? []), ...(after[name] ?? [])]
  await writeManifest(folder, both)
  for (const { name, text } of files) {
    const path = `${folder}/${name}`
    await makeFolder(dirname(path))
    await writeTextAtomic(path, text, modeOf(name))
  }
  for (const name of Object.keys(before).filter((old) => !(old in after))) {
    const found = await readText(`${folder}/${name}`)
    if (found !== null && before[name]?.includes(hash(found))) await removeFile(`${folder}/${name}`)
    if (name.includes('/')) await removeEmptyFolder(dirname(`${folder}/${name}`))
  }
  await writeManifest(folder, after)
  return [...files.map(({ name }) => name), manifestName].map((name) => `${folder}/${name}`)
}

async function readManifest(path: string, force: boolean): Promise<Manifest> {
  const text = await readText(path)
  const files = text === null ? {} : parseManifest(text)
  if (files !== null) return files
  if (force) return {}
  throw new VhostkitError('file-exists', {
    sentence: `${path} is none of vhostkit's. Nothing was written.`,
    hint: 'Choose another folder, or say --force.',
  })
}

/** A seed may hold the hash of a password, and artifacts.json has seeds in it. */
function modeOf(name: string): number {
  return name.startsWith('seed-') || name === 'artifacts.json' ? 0o600 : 0o644
}

/** Names that lead further than into the folder of a seed are never ours, so nothing outside can be removed. */
export function parseManifest(text: string): Manifest | null {
  try {
    const { files } = JSON.parse(text) as { files?: unknown }
    if (typeof files !== 'object' || files === null) return null
    const entries = Object.entries(files)
    const good = entries.every(
      ([name, hashes]) => /^(seed-[\w.-]+\/)?[A-Za-z0-9][\w.-]*$/.test(name) && Array.isArray(hashes),
    )
    return good ? (Object.fromEntries(entries) as Manifest) : null
  } catch {
    return null
  }
}

async function writeManifest(folder: string, files: Manifest): Promise<void> {
  await writeTextAtomic(
    `${folder}/${manifestName}`,
    `${JSON.stringify({ version: 1, files }, null, 2)}\n`,
    0o644,
  )
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
