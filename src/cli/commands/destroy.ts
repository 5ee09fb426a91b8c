import { destroy, planDestroy } from '../../apply/take-down.js'
import { showSteps } from '../../core/steps/show-steps.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { operate } from '../operate.js'

export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { deployment = '' } = input.args
  const disks = input.options.disks === true
  if (input.options.dryRun === true) {
    const steps = await planDestroy(deployment, disks, context.places)
    return { text: showSteps(steps), data: { deployment, steps }, exitCode: 0 }
  }
  const { steps, remembered, kept, removed } = await operate(
    `destroy ${deployment}`,
    input,
    context,
    (operation) => destroy(deployment, disks, operation),
  )
  return {
    text: [
      `${deployment}: gone.`,
      ...showRemembered(remembered),
      ...showRemoved(removed),
      ...showKept(deployment, kept),
    ].join('\n'),
    data: {
      deployment,
      changed: steps.length > 0,
      steps: steps.map(({ id }) => id),
      remembered,
      kept,
      removed,
    },
    exitCode: 0,
  }
}

function showRemembered(names: string[]): string[] {
  if (names.length === 0) return []
  return [
    `The switch is off: its state file keeps ${names.join(', ')} until \`vhostkit apply\` or \`vhostkit switch start\` forgets them.`,
  ]
}

function showRemoved(paths: string[]): string[] {
  return paths.length === 0
    ? []
    : ['Removed, with what the guests wrote:', ...paths.map((path) => `  ${path}`)]
}

function showKept(deployment: string, paths: string[]): string[] {
  if (paths.length === 0) return []
  return [
    'Kept, with what the guests wrote:',
    ...paths.map((path) => `  ${path}`),
    `The next apply uses them again; \`vhostkit destroy ${deployment} --disks\` removes them.`,
  ]
}
