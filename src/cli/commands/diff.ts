import { prepare } from '../../apply/prepare.js'
import { showProblems } from '../../core/spec/show-problems.js'
import { showSteps } from '../../core/steps/show-steps.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readSpecInput } from '../read-input.js'
import { readFactsFor } from '../read-plan.js'

export async function run(input: CommandInput, { places }: CommandContext): Promise<CommandResult> {
  const { spec, planOptions } = await readSpecInput(input, places)
  const facts = await readFactsFor(spec, places)
  const restart = input.options.restart === true
  const { steps, notices } = await prepare(spec, facts, places.folders, planOptions, restart)
  const text = showSteps(steps) + showProblems(notices)
  return { text, data: { deployment: spec.name, steps, notices }, exitCode: steps.length === 0 ? 0 : 5 }
}
