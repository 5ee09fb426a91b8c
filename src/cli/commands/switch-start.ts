import { withLock } from '../../apply/operation.js'
import { planSwitchAlone } from '../../apply/switch-alone.js'
import { readSwitch, startSwitch } from '../../drivers/switch/process.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readWait } from '../read-input.js'

export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { folders, builtSwitch } = context.places
  const { commandLine, signal } = context
  return withLock({ folders, commandLine, signal, lockLimitMs: readWait(input) }, async () => {
    const { argv, control } = await planSwitchAlone(folders, builtSwitch)
    const before = await readSwitch(control)
    const info = before ?? (await startSwitch(argv, control, signal))
    const text =
      before === null ? `The switch runs (pid ${info.pid}).` : `The switch runs already (pid ${info.pid}).`
    return { text, data: { changed: before === null, switch: info }, exitCode: 0 }
  })
}
