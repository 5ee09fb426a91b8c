import type { Operation } from '../apply/operation.js'
import type { CommandContext, CommandInput } from './command.js'
import { readGrace, readWait } from './read-input.js'

/** Runs something that carries out steps, as one stage that tells each step. */
export async function operate<T>(
  title: string,
  input: CommandInput,
  context: CommandContext,
  task: (operation: Operation) => Promise<T>,
): Promise<T> {
  const { places, signal, commandLine, report } = context
  return report.stage(title, (say) =>
    task({
      folders: places.folders,
      commandLine,
      signal,
      graceMs: readGrace(input),
      lockLimitMs: readWait(input),
      progress: ({ step, state }) => {
        if (state === 'done') say(step.label)
        if (state === 'failed') say(`failed: ${step.label}`)
        if (state === 'undone') say(`undone: ${step.label}`)
      },
    }),
  )
}
