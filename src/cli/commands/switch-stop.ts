import { withLock } from '../../apply/operation.js'
import { stopSwitch } from '../../drivers/switch/process.js'
import { switchControl } from '../../drivers/switch/run-folder.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readWait } from '../read-input.js'

export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { places, commandLine, signal } = context
  return withLock(
    { folders: places.folders, commandLine, signal, lockLimitMs: readWait(input) },
    async () => {
      const running = await stopSwitch(switchControl(places.folders))
      const text = running
        ? 'The switch is stopped; its ports stay in its state file.'
        : 'The switch was not running.'
      return { text, data: { changed: running }, exitCode: 0 }
    },
  )
}
