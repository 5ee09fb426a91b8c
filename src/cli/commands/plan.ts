import { showPlan } from '../../core/render/show-plan.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readPlan } from '../read-plan.js'

export async function run(input: CommandInput, { places, width }: CommandContext): Promise<CommandResult> {
  const plan = await readPlan(input, places)
  return { text: showPlan(plan, width), data: plan, exitCode: 0 }
}
