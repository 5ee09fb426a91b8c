import type { Command } from './command.js'
import { commonOptions } from './common-options.js'

/** What every command takes may stand before its name, too: the same words with the name first. */
export function putCommandFirst(words: readonly string[], commands: readonly Command[]): string[] {
  const name: string[] = []
  const options: string[] = []
  let rest = words
  let inner = commands
  while (inner.length > 0) {
    const [word = '-'] = rest
    const length = lengthOfOption(word)
    options.push(...rest.slice(0, length))
    rest = rest.slice(length)
    if (length > 0) continue
    if (word.startsWith('-')) break
    name.push(word)
    rest = rest.slice(1)
    inner = inner.find((command) => command.name === word)?.commands ?? []
  }
  return [...name, ...options, ...rest]
}

/** How many words a common option is, with its value; 0: this is none. */
function lengthOfOption(word: string): number {
  const [before = ''] = word.split('=')
  const option = commonOptions.find(({ flags }) => flags.split(' ')[0] === before)
  if (option === undefined) return 0
  return option.flags.includes('<') && before === word ? 2 : 1
}
