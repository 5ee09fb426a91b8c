import type { Reporter } from './command.js'

/** Progress as plain lines with the time since the start, for logs and pipes. */
export function makeStageLines(write: (line: string) => void): Reporter {
  const begin = performance.now()
  const line = (text: string) =>
    write(`[${((performance.now() - begin) / 1000).toFixed(1).padStart(5)} s] ${text}`)
  return {
    show: write,
    stage: async (title, task) => {
      line(title)
      try {
        return await task((text) => line(`  ${text}`))
      } catch (error) {
        line(`${title}: failed`)
        throw error
      }
    },
  }
}
