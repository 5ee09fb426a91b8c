import { uninstallHook } from '../../hook/install.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

export async function run(_input: CommandInput, { places }: CommandContext): Promise<CommandResult> {
  const removed = await uninstallHook(places.folders.state)
  const text = removed === null ? 'No hook was installed.' : `Removed ${removed}.`
  return { text, data: { changed: removed !== null, dropIn: removed }, exitCode: 0 }
}
