import { join } from 'node:path'
import { VhostkitError } from '../core/errors.js'
import {
  exists,
  installText,
  listFolder,
  makeFolder,
  mayAccess,
  readText,
  removeFile,
  writeTextAtomic,
} from '../world/files.js'
import { type HookSettings, readSettings, settingsPath } from './settings.js'

/** Every drop-in of ours has this line, and no other one has. */
const mark = '# vhostkit hook:'
const dropInName = '50-vhostkit'

export interface InstallInput extends Pick<HookSettings, 'folders' | 'switch' | 'uid'> {
  /** The checkout, which has the template and the launcher. */
  root: string
  /** libvirt's folder of hooks. */
  hooks: string
  /** The Node that runs the hook. */
  node: string
  now: number
}

/** Writes the drop-in and what it must know. Whatever else is in the folder stays. */
export async function installHook(input: InstallInput): Promise<HookSettings> {
  const { root, hooks, folders, node } = input
  const template = await readText(join(root, 'hooks/qemu'))
  if (template === null) throw new VhostkitError('internal', { sentence: 'hooks/qemu is missing.' })
  const text = fillIn(template, {
    MACHINES: `${folders.run}/machines/`,
    NODE: node,
    LAUNCHER: join(root, 'bin/vhostkit-hook.cjs'),
    STATE: folders.state,
  })
  const dropIn = join(hooks, 'qemu.d', dropInName)
  const there = await readText(dropIn)
  if (there !== null && !isOurs(there)) {
    throw new VhostkitError('hooks-failed', { sentence: `${dropIn} is there and is not ours.` })
  }
  const before = await readSettings(folders.state).catch(() => null)
  const others = await findOtherHooks(hooks)
  const first = there === null ? others.length === 0 : (before?.first ?? false)
  const installedAt = there === null || before === null ? input.now : before.installedAt
  const settings: HookSettings = {
    version: 1,
    dropIn,
    folders,
    switch: input.switch,
    uid: input.uid,
    first,
    installedAt,
  }
  await makeFolder(folders.state, 0o700)
  await writeTextAtomic(settingsPath(folders.state), `${JSON.stringify(settings, null, 1)}\n`)
  await makeFolder(join(hooks, 'qemu.d'))
  await installText(dropIn, text, 0o755)
  return settings
}

/** Takes the drop-in away; null when there is none of ours. */
export async function uninstallHook(stateFolder: string): Promise<string | null> {
  const settings = await readSettings(stateFolder).catch(() => null)
  const text = settings === null ? null : await readText(settings.dropIn)
  if (settings !== null && text !== null && isOurs(text)) await removeFile(settings.dropIn)
  await removeFile(settingsPath(stateFolder))
  return settings?.dropIn ?? null
}

export function isOurs(text: string): boolean {
  return text.split('\n', 3).some((line) => line.startsWith(mark))
}

/** Hooks of others that libvirt would run: it looks for any when it starts, and never again if there was none. */
async function findOtherHooks(hooks: string): Promise<string[]> {
  const names = (await listFolder(join(hooks, 'qemu.d'))).filter((name) => name !== dropInName)
  const paths = [join(hooks, 'qemu'), ...names.map((name) => join(hooks, 'qemu.d', name))]
  const there = await Promise.all(
    paths.map(async (path) => (await exists(path)) && (await mayAccess(path, 'x'))),
  )
  return paths.filter((_, index) => there[index])
}

/** Paths stand in the script as they are, so only those that no shell would change are taken. */
function fillIn(template: string, words: Record<string, string>): string {
  return template.replace(/@([A-Z]+)@/g, (_, key: string) => {
    const word = words[key] ?? ''
    if (/^\/[\w%+=:,./-]+$/.test(word)) return word
    throw new VhostkitError('hooks-failed', {
      sentence: `A hook cannot name the path ${JSON.stringify(word)}.`,
      hint: 'Use folders of letters, digits and _%+=:,.- only (--run-dir, --state-dir).',
    })
  })
}
