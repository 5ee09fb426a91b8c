import { stop } from '../../apply/take-down.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { operate } from '../operate.js'

export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { deployment = '', machine } = input.args
  const names = machine === undefined ? [] : [machine]
  const steps = await operate(`stop ${deployment}`, input, context, (operation) =>
    stop(deployment, names, operation),
  )
  const done = steps.map(({ label }) => label)
  return {
    text: done.length === 0 ? `${deployment}: nothing to stop.` : `${deployment}: ${done.join(', ')}.`,
    data: { deployment, changed: steps.length > 0, steps: steps.map(({ id }) => id) },
    exitCode: 0,
  }
}
