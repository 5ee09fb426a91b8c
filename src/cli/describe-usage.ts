import { VhostkitError } from '../core/errors.js'
import type { Command } from './command.js'

/** The error for words that commander refused: what it said as a sentence, and how that command is used. */
export function usageError(
  said: string,
  words: readonly string[],
  commands: readonly Command[],
): VhostkitError {
  const text = said.replace(/^error: /, '').replace(/\n\(Did you mean (.*)\?\)$/, '; did you mean $1?')
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}`
  return new VhostkitError('usage', {
    sentence: /[.?]$/.test(sentence) ? sentence : `${sentence}.`,
    hint: showUsage(words, commands),
  })
}

/** Of the command that the words go to, as far as they are known. */
function showUsage(words: readonly string[], commands: readonly Command[]): string {
  const known: Command[] = []
  for (const word of words) {
    const next: Command | undefined = (known.at(-1)?.commands ?? (known.length === 0 ? commands : [])).find(
      ({ name }) => name === word,
    )
    if (next === undefined) break
    known.push(next)
  }
  const called = ['vhostkit', ...known.map(({ name }) => name)].join(' ')
  const last = known.at(-1)
  if (last?.load === undefined) return `\`${called} --help\` lists the commands.`
  const args = (last.args ?? []).map(({ name }) => ` ${name}`).join('')
  return `Usage: ${called}${args} [options]; \`${called} --help\` says more.`
}
