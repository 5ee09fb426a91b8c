import { join } from 'node:path'
import { VhostkitError } from '../core/errors.js'
import type { Folders } from '../core/plan/plan.js'
import { readText } from '../world/files.js'

/** What `hooks install` found out, so that a hook need not: it has no time, and may not ask libvirt. */
export interface HookSettings {
  version: 1
  /** The drop-in that was written. */
  dropIn: string
  folders: Folders
  /** How the switch is started when it does not run. */
  switch: { argv: string[]; control: string }
  /** Who runs QEMU, when that is another user. */
  uid: number | null
  /** There was no hook before, so a libvirtd that runs since before `installedAt` (ms) does not look for any. */
  first: boolean
  installedAt: number
}

export function settingsPath(stateFolder: string): string {
  return join(stateFolder, 'hooks.json')
}

/** null when no hook was installed from this state folder. */
export async function readSettings(stateFolder: string): Promise<HookSettings | null> {
  const path = settingsPath(stateFolder)
  const text = await readText(path)
  if (text === null) return null
  const value = parse(text)
  if (value?.version === 1 && Array.isArray(value.switch?.argv)) return value as HookSettings
  throw new VhostkitError('state-damaged', {
    sentence: `${path} is damaged.`,
    hint: 'Run `vhostkit hooks install` again.',
  })
}

function parse(text: string): Partial<HookSettings> | null {
  try {
    return JSON.parse(text) as Partial<HookSettings> | null
  } catch {
    return null
  }
}
