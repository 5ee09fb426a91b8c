import { Command as Commander, CommanderError } from 'commander'
import { VhostkitError } from '../core/errors.js'
import type { Command, CommandInput, CommandModule, CommandResult } from './command.js'
import { commands } from './commands.js'
import { commonOptions } from './common-options.js'
import { usageError } from './describe-usage.js'
import { examples } from './examples.js'
import { findPlaces, type Places } from './places.js'
import { putCommandFirst } from './put-command-first.js'
import { readVersion } from './read-version.js'

/** A command to run, or a result that is there already (help, version). */
export type ParsedArguments =
  | { input: CommandInput; places: Places; native: boolean; load: () => Promise<CommandModule> }
  | { result: CommandResult }

/** Turns the words of the command line into one row of the table with its input. The only user of commander. */
export async function parseArguments(given: string[]): Promise<ParsedArguments> {
  const words = putCommandFirst(given, commands)
  const printed: string[] = []
  const chosen: { command?: Command; input?: CommandInput } = {}
  const program = makeProgram(await readVersion(), printed, (command, input) => {
    Object.assign(chosen, { command, input })
  })
  try {
    program.parse(words, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // A command group without a verb fails with its help.
    const isHelp = error.exitCode === 0 || error.code === 'commander.help'
    const result = { text: printed.join('').trimEnd(), data: null, exitCode: error.exitCode === 0 ? 0 : 2 }
    if (isHelp) return { result }
    throw usageError(error.message, words, commands)
  }
  const { command, input } = chosen
  if (command?.load === undefined || input === undefined) throw new VhostkitError('usage')
  const { runDir, stateDir } = input.options as { runDir?: string; stateDir?: string }
  const places = findPlaces({ runDir, stateDir }, process.env, process.geteuid?.() ?? 0)
  return { input, places, native: command.native === true, load: command.load }
}

type Choose = (command: Command, input: CommandInput) => void

function makeProgram(version: string, printed: string[], choose: Choose): Commander {
  const program = new Commander('vhostkit')
    .description('Accelerated, reconnectable vhost-user networking for virtual machines, with one command.')
    .version(version)
    .configureHelp({ showGlobalOptions: true })
  quieten(program, printed)
  for (const command of commands) addCommand(program, command, [], printed, choose)
  return program
}

function addCommand(
  parent: Commander,
  command: Command,
  before: string[],
  printed: string[],
  choose: Choose,
): void {
  const { name, summary, args = [], options = [], commands: inner = [] } = command
  const words = [...before, name]
  const added = parent.command(name).description(summary)
  quieten(added, printed)
  for (const row of inner) addCommand(added, row, words, printed, choose)
  if (inner.length > 0) return
  for (const { name: word, about } of args) added.argument(word, about)
  for (const { flags, about } of [...options, ...commonOptions]) added.option(flags, about)
  added.addHelpText('after', showExamples(examples[words.join(' ')] ?? []))
  added.action((...values: unknown[]) => {
    const names = args.map(({ name: word }) => word.replace(/[<>[\]]/g, ''))
    const single = names.filter((word) => !word.endsWith('...'))
    const given = Object.fromEntries(single.map((word, index) => [word, values[index] as string | undefined]))
    const rest = values[single.length]
    const more = single.length < names.length && Array.isArray(rest) ? { rest: rest as string[] } : {}
    choose(command, { args: given, options: added.opts(), ...more })
  })
}

function showExamples(lines: readonly string[]): string {
  return lines.length === 0 ? '' : ['', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n')
}

/** Commander throws instead of exiting, and what it would print is collected. */
function quieten(command: Commander, printed: string[]): void {
  command.exitOverride()
  command.configureOutput({ writeOut: (text) => printed.push(text), writeErr: (text) => printed.push(text) })
}
