import { start } from '../../apply/take-down.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { operate } from '../operate.js'

export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { deployment = '', machine } = input.args
  const names = machine === undefined ? [] : [machine]
  const steps = await operate(`start ${deployment}`, input, context, (operation) =>
    start(deployment, names, operation),
  )
  // What else had to be done was said on the way.
  const machines = steps.flatMap(({ id }) => /^start-machine (.*)$/.exec(id)?.[1] ?? [])
  return {
    text: `${deployment}: ${machines.length === 0 ? 'nothing to start' : `started ${machines.join(', ')}`}.`,
    data: { deployment, changed: steps.length > 0, steps: steps.map(({ id }) => id) },
    exitCode: 0,
  }
}
