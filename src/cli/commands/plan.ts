import { requirePlan } from '../../apply/prepare.js'
import { showPlan } from '../../core/render/show-plan.js'
import { imagePaths } from '../../core/spec/image-paths.js'
import { readFacts } from '../../host/facts.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readSpecInput } from '../read-input.js'

export async function run(input: CommandInput, { places }: CommandContext): Promise<CommandResult> {
  const { spec, planOptions } = await readSpecInput(input, places)
  const plan = requirePlan(
    spec,
    await readFacts(places.builtSwitch, imagePaths(spec, places.folders.state)),
    places.folders,
    planOptions,
  )
  return { text: showPlan(plan), data: plan, exitCode: 0 }
}
