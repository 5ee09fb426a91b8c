import { deploy } from '../../apply/deploy.js'
import { showProblems } from '../../core/spec/show-problems.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { operate } from '../operate.js'
import { readSpecInput, type SpecInput } from '../read-input.js'
import { readFactsFor } from '../read-plan.js'
import { run as runDiff } from './diff.js'
import { showForgotten } from './switch-start.js'

export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  if (input.options.dryRun === true) return { ...(await runDiff(input, context)), exitCode: 0 }
  return applySpec(await readSpecInput(input, context.places), input, context)
}

/** Brings the host to a spec, wherever its text came from. */
export async function applySpec(
  { specText, spec, planOptions }: SpecInput,
  input: CommandInput,
  context: CommandContext,
): Promise<CommandResult> {
  const { places } = context
  const { steps, notices, forgotten } = await operate(`apply ${spec.name}`, input, context, (operation) =>
    deploy(
      {
        specText,
        spec,
        planOptions,
        restart: input.options.restart === true,
        readFacts: () => readFactsFor(spec, places),
        planned: () => undefined,
      },
      operation,
    ),
  )
  const outcome =
    steps.length === 0 ? `${spec.name}: nothing changed, everything is as wanted.` : `${spec.name}: applied.`
  return {
    text: [outcome, ...showForgotten(forgotten), showProblems(notices)].join('\n'),
    data: {
      deployment: spec.name,
      changed: steps.length > 0 || forgotten.length > 0,
      steps: steps.map(({ id }) => id),
      forgotten,
      notices,
    },
    exitCode: 0,
  }
}
