import { VhostkitError } from '../../src/core/errors.js'
import { runBench } from './bench.js'
import { parseOptions, parseStartOptions, startUsage, usage } from './options.js'
import { writeReport } from './report/write.js'
import { measureStart, showStart } from './start.js'
import { showTable } from './table.js'

/** Runs a command line, prints what came of it, returns the exit code. */
export async function runCommandLine(words: string[]): Promise<number> {
  const controller = new AbortController()
  const abort = () => controller.abort(new VhostkitError('interrupted'))
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of signals) process.on(name, abort)
  try {
    if (words[0] === 'start') return await runStart(words.slice(1))
    const options = parseOptions(words)
    if (options === null) {
      process.stdout.write(usage)
      return 0
    }
    const result = await runBench(options, controller.signal, (line) =>
      process.stderr.write(`bench: ${line}\n`),
    )
    if (options.report !== null) {
      const path = await writeReport(options.report, result, new Date())
      process.stderr.write(`bench: the report is ${path}\n`)
    }
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : showTable(result))
    return 0
  } catch (error) {
    const known = error instanceof VhostkitError ? error : new VhostkitError('internal', { cause: error })
    const more = known.code === 'internal' ? ` ${(error as Error).stack ?? error}` : ` ${known.hint}`
    process.stderr.write(`bench: ${known.message}${more}\n`)
    return known.exitCode
  } finally {
    for (const name of signals) process.off(name, abort)
  }
}

async function runStart(words: string[]): Promise<number> {
  const options = parseStartOptions(words)
  if (options === null) {
    process.stdout.write(startUsage)
    return 0
  }
  const result = await measureStart(options.rounds)
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : showStart(result))
  return 0
}
