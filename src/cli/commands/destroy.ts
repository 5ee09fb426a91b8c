import { destroy, planDestroy } from '../../apply/take-down.js'
import { showSteps } from '../../core/steps/show-steps.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { operate } from '../operate.js'

export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { deployment = '' } = input.args
  if (input.options.dryRun === true) {
    const steps = await planDestroy(deployment, context.places)
    return { text: showSteps(steps), data: { deployment, steps }, exitCode: 0 }
  }
  const steps = await operate(`destroy ${deployment}`, input, context, (operation) =>
    destroy(deployment, operation),
  )
  return {
    text: `${deployment}: gone.`,
    data: { deployment, changed: steps.length > 0, steps: steps.map(({ id }) => id) },
    exitCode: 0,
  }
}
