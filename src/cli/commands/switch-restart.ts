import { withLock } from '../../apply/operation.js'
import { forgetOrphans } from '../../apply/orphan-ports.js'
import { planSwitchAlone } from '../../apply/switch-alone.js'
import { restartSwitch } from '../../drivers/switch/process.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readWait } from '../read-input.js'
import { showForgotten } from './switch-start.js'

/** All is found out before it is stopped: what is wrong then stops nothing, and the time without a switch is short. */
export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { folders, builtSwitch } = context.places
  const { commandLine, signal } = context
  return withLock({ folders, commandLine, signal, lockLimitMs: readWait(input) }, async () => {
    const { argv, control } = await planSwitchAlone(folders, builtSwitch)
    const info = await restartSwitch(argv, control, signal)
    const forgotten = await forgetOrphans(folders)
    const text = [`The switch runs (pid ${info.pid}).`, ...showForgotten(forgotten)].join('\n')
    return { text, data: { changed: true, switch: info, forgotten }, exitCode: 0 }
  })
}
