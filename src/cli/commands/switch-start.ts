import { withLock } from '../../apply/operation.js'
import { forgetOrphans } from '../../apply/orphan-ports.js'
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
    const forgotten = await forgetOrphans(folders)
    const outcome =
      before === null ? `The switch runs (pid ${info.pid}).` : `The switch runs already (pid ${info.pid}).`
    const changed = before === null || forgotten.length > 0
    const text = [outcome, ...showForgotten(forgotten)].join('\n')
    return { text, data: { changed, switch: info, forgotten }, exitCode: 0 }
  })
}

/** The line about ports that were left from deployments that are gone. */
export function showForgotten(names: string[]): string[] {
  return names.length === 0 ? [] : [`Forgot ports without a deployment: ${names.join(', ')}.`]
}
