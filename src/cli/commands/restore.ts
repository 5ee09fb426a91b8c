import { restore } from '../../apply/convert-domain.js'
import { withLock } from '../../apply/operation.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readConnect, readWait } from '../read-input.js'

export async function run(
  input: CommandInput,
  { places, ...context }: CommandContext,
): Promise<CommandResult> {
  const { folders } = places
  const convert = { connect: readConnect(input), domain: input.args.domain ?? '', folders }
  const done = await withLock({ ...context, folders, lockLimitMs: readWait(input) }, () => restore(convert))
  const text = `${done.difference}\n\n${done.domain}: as it was before, byte for byte.`
  return { text, data: { changed: true, ...done }, exitCode: 0 }
}
