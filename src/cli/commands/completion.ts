import { readReceipts } from '../../apply/receipt.js'
import { VhostkitError } from '../../core/errors.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { bashCompletion } from '../shells/bash.js'
import { fishCompletion } from '../shells/fish.js'
import { outline } from '../shells/outline.js'
import { zshCompletion } from '../shells/zsh.js'

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }

/** The script for a shell; or what these scripts ask for while somebody types. */
export async function run({ args }: CommandInput, { places }: CommandContext): Promise<CommandResult> {
  const { shell = '' } = args
  if (shell === 'deployments') {
    const names = (await readReceipts(places.folders.state)).map(({ deployment }) => deployment)
    return { text: names.join('\n'), data: { deployments: names }, exitCode: 0 }
  }
  if (!Object.hasOwn(shells, shell)) {
    throw new VhostkitError('usage', {
      sentence: `There is completion for bash, zsh and fish; found ${shell}.`,
    })
  }
  const script = shells[shell as keyof typeof shells](outline())
  return { text: script, data: { shell, script }, exitCode: 0 }
}
