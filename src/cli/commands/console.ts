import { findMachine } from '../../apply/find-machine.js'
import { VhostkitError } from '../../core/errors.js'
import { openConsole } from '../../drivers/console-socket.js'
import { readTail } from '../../world/files.js'
import { attachConsole, type Detached } from '../attach-console.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readCount } from '../read-input.js'

const outcomes: Record<Detached['ended'], string> = {
  detached: 'detached',
  'input-ended': 'the input ended',
  matched: 'found what it waited for',
  time: 'its time is over',
  'machine-ended': 'the machine ended',
}

/** The serial console, as a terminal or as a script uses it. */
export async function run(input: CommandInput, { places, signal }: CommandContext): Promise<CommandResult> {
  const until = readPattern(input)
  const seconds = readCount(input, 'for', 0, 86_400)
  const json = input.options.json === true
  const { deployment, machine } = await findMachine(places.folders.state, input.args.machine ?? '')
  const name = `${deployment}/${machine.name}`
  const console = await openConsole(name, machine.consoleSocket, signal)
  const isTerminal = process.stdin.isTTY === true && !json
  if (isTerminal) process.stderr.write(`Attached to ${name}. Enter wakes it, Ctrl-] detaches.\r\n`)
  const { ended, said } = await attachConsole({
    console,
    input: process.stdin,
    output: (bytes) => void (json || process.stdout.write(bytes)),
    until,
    // A script that waits for a word must not miss what was said before it came.
    before: until === null ? '' : await readTail(`${machine.folder}/console.log`, 256 * 1024),
    limitMs: seconds === 0 ? null : seconds * 1000,
    signal,
  })
  if (isTerminal) process.stderr.write(`\r\nConsole of ${name}: ${outcomes[ended]}.\n`)
  const missed = until !== null && ended !== 'matched' && ended !== 'detached'
  if (missed && !json) {
    throw new VhostkitError('timeout', {
      sentence: `The console of ${name} never said ${until}; ${outcomes[ended]}.`,
      hint: `See ${machine.folder}/console.log.`,
    })
  }
  return { text: '', data: { deployment, machine: machine.name, ended, said }, exitCode: missed ? 1 : 0 }
}

function readPattern(input: CommandInput): RegExp | null {
  const { until } = input.options
  if (typeof until !== 'string') return null
  try {
    return new RegExp(until, 'm')
  } catch (cause) {
    throw new VhostkitError('usage', {
      sentence: `--until takes a regular expression; found ${until}.`,
      cause,
    })
  }
}
