import { VhostkitError } from '../core/errors.js'
import type { CommandContext, CommandResult } from './command.js'
import { readVersion } from './read-version.js'
import { describeError } from './show-error.js'

/** Runs a command line and prints what came of it. Returns the exit code; only the launcher ends the process. */
export async function runMain(words: string[]): Promise<number> {
  const own = words.includes('--') ? words.slice(0, words.indexOf('--')) : words
  const json = own.includes('--json')
  if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) {
    return print({ text: await readVersion(), data: null, exitCode: 0 }, false)
  }
  const interrupt = listenForInterrupt()
  try {
    const { parseArguments } = await import('./parse-arguments.js')
    const parsed = await parseArguments(words)
    if ('result' in parsed) return print(parsed.result, false)
    const context: CommandContext = {
      places: parsed.places,
      signal: interrupt.signal,
      report: await chooseReporter(json, own),
      follow: (text, data) => write(process.stdout, json ? JSON.stringify(data) : text),
      pour: (bytes) => pour(process.stdout, bytes),
      width: process.stdout.isTTY === true && process.stdout.columns > 0 ? process.stdout.columns : null,
      commandLine: ['vhostkit', ...words].join(' '),
    }
    if (parsed.native) await buildAtFirstUse(context)
    const command = await parsed.load()
    return print(await command.run(parsed.input, context), json)
  } catch (error) {
    return printError(error, json, own.includes('--verbose'))
  } finally {
    interrupt.stop()
  }
}

/** A package has the sources of the switch; a checkout is built by bin/setup. */
async function buildAtFirstUse({ places, report, signal }: CommandContext): Promise<void> {
  const { sources, builtSwitch } = places
  if (sources === null) return
  const { isBuilt, buildSwitch } = await import('../drivers/switch/build.js')
  if (await isBuilt(sources, builtSwitch)) return
  await report.stage('build the switch, once', (say) => buildSwitch(sources, builtSwitch, say, signal))
}

/** Ctrl-C and SIGTERM abort what runs; whoever started something cleans it up before it gives way. */
function listenForInterrupt(): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const abort = () => controller.abort(new VhostkitError('interrupted'))
  for (const name of signals) process.on(name, abort)
  return {
    signal: controller.signal,
    stop: () => {
      for (const name of signals) process.off(name, abort)
    },
  }
}

async function chooseReporter(json: boolean, words: string[]) {
  const plain = await import('./stage-lines.js')
  if (words.includes('--quiet')) return plain.makeStageLines(() => undefined)
  // A terminal without a width cannot be redrawn; and what is redrawn keeps only its last line.
  const redrawn = process.stderr.isTTY === true && process.stderr.columns > 20
  if (redrawn && !json && !words.includes('--verbose')) {
    return (await import('./stage-list.js')).makeStageList()
  }
  return plain.makeStageLines((line) => write(process.stderr, line))
}

function print({ text, data, exitCode }: CommandResult, json: boolean): number {
  if (json) write(process.stdout, JSON.stringify(data))
  else if (text !== '') write(process.stdout, text)
  return exitCode
}

function printError(error: unknown, json: boolean, verbose: boolean): number {
  const { text, data, exitCode } = describeError(error, verbose)
  if (json) write(process.stdout, JSON.stringify(data))
  else write(process.stderr, text)
  return exitCode
}

/** A program behind a pipe may end before us; that is no fault of ours. */
function pour(stream: NodeJS.WriteStream, bytes: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? resolve(false) : reject(error))
    stream.once('error', failed)
    stream.write(bytes, (error) => {
      if (error !== null && error !== undefined) return
      stream.off('error', failed)
      resolve(true)
    })
  })
}

function write(stream: NodeJS.WriteStream, text: string): void {
  stream.write(text.endsWith('\n') ? text : `${text}\n`)
}
