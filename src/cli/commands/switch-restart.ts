import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { run as runStart } from './switch-start.js'
import { run as runStop } from './switch-stop.js'

export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  await runStop(input, context)
  return runStart(input, context)
}
