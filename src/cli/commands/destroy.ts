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
  const { steps, remembered } = await operate(`destroy ${deployment}`, input, context, (operation) =>
    destroy(deployment, operation),
  )
  return {
    text: [`${deployment}: gone.`, ...showRemembered(remembered)].join('\n'),
    data: { deployment, changed: steps.length > 0, steps: steps.map(({ id }) => id), remembered },
    exitCode: 0,
  }
}

function showRemembered(names: string[]): string[] {
  if (names.length === 0) return []
  return [
    `The switch is off: its state file keeps ${names.join(', ')} until \`vhostkit apply\` or \`vhostkit switch start\` forgets them.`,
  ]
}
