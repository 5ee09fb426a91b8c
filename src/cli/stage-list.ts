import { Listr, ListrLogger, ProcessOutput } from 'listr2'
import type { Reporter } from './command.js'

/** Progress on a terminal: one line a stage with a spinner, its latest word below it. The only user of listr2. */
export function makeStageList(): Reporter {
  // On stderr: stdout belongs to the result.
  const logger = new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) })
  return {
    show: (text) => void process.stderr.write(`${text}\n`),
    stage: async (title, task) => {
      const outcome: { value?: Awaited<ReturnType<typeof task>> } = {}
      const list = new Listr(
        [
          {
            title,
            task: async (_, shown) => {
              outcome.value = await task((line) => {
                shown.output = line
              })
            },
          },
        ],
        {
          // Ctrl-C is ours: listr2 would end the process before anything is cleaned up.
          registerSignalListeners: false,
          rendererOptions: { logger, collapseErrors: false, showErrorMessage: false },
        },
      )
      await list.run()
      return outcome.value as Awaited<ReturnType<typeof task>>
    },
  }
}
