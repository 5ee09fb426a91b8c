import { showPlan } from '../../core/render/show-plan.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readPlan } from '../read-plan.js'

export async function run(input: CommandInput, { places }: CommandContext): Promise<CommandResult> {
  const plan = await readPlan(input, places)
  return { text: showPlan(plan), data: plan, exitCode: 0 }
}
