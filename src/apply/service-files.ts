import { join } from 'node:path'
import { VhostkitError } from '../core/errors.js'
import {
  renderServiceFiles,
  type ServiceFile,
  type ServiceTemplate,
  servicePlaces,
} from '../core/service/service-files.js'
import { openSeal, sealText } from '../drivers/service/sealed-text.js'
import { installText, makeFolder, readText, removeFile } from '../world/files.js'

/** What becomes of one file. */
export interface FileChange {
  path: string
  action: 'write' | 'update' | 'same' | 'remove' | 'absent' | 'keep'
}

/** The files of the service, from the templates of the package. `group` is that of its user; null: one of his name. */
export async function makeServiceFiles(
  packageRoot: string,
  argv: readonly string[],
  run: string,
  group: string | null = null,
): Promise<ServiceFile[]> {
  const names = Object.keys(servicePlaces) as ServiceTemplate[]
  const entries = await Promise.all(
    names.map(async (name) => {
      const text = await readText(join(packageRoot, 'templates/systemd', name))
      if (text === null)
        throw new VhostkitError('internal', { sentence: `templates/systemd/${name} is missing.` })
      return [name, text] as const
    }),
  )
  const templates = Object.fromEntries(entries) as Record<ServiceTemplate, string>
  return renderServiceFiles(templates, argv, run, group).map((file) => ({
    ...file,
    text: sealText(file.text),
  }))
}

/** What writing them below `root` would do. Files that others wrote or edited are refused, all named at once. */
export async function planFiles(root: string, files: readonly ServiceFile[]): Promise<FileChange[]> {
  const kept: string[] = []
  const changes: FileChange[] = []
  for (const file of files) {
    const path = join(root, file.path)
    const found = await readText(path)
    if (found !== null && found !== file.text && openSeal(found).owner !== 'ours') kept.push(path)
    changes.push({ path, action: found === null ? 'write' : found === file.text ? 'same' : 'update' })
  }
  if (kept.length === 0) return changes
  throw new VhostkitError('service-refused', {
    sentence: `These files are there, and were not written by vhostkit or were edited since: ${kept.join(', ')}. Nothing was written.`,
    hint: 'Move them away and run the command again. Changes of yours belong into `systemctl edit vhostkit-switch`.',
  })
}

export async function writeFiles(root: string, files: readonly ServiceFile[]): Promise<void> {
  for (const { path, text } of files) {
    const target = join(root, path)
    const found = await readText(target)
    if (found === text) continue
    await makeFolder(join(target, '..'))
    await installText(target, text, 0o644)
  }
}

/** What removing them would do: what others wrote or edited is kept. */
export async function planRemoval(root: string): Promise<FileChange[]> {
  return Promise.all(
    Object.values(servicePlaces).map(async (place) => {
      const path = join(root, place)
      const found = await readText(path)
      if (found === null) return { path, action: 'absent' as const }
      return { path, action: openSeal(found).owner === 'ours' ? ('remove' as const) : ('keep' as const) }
    }),
  )
}

export async function removeFiles(changes: readonly FileChange[]): Promise<void> {
  for (const { path, action } of changes) if (action === 'remove') await removeFile(path)
}
