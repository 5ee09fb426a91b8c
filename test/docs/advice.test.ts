import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commands } from '../../src/cli/commands.js'
import { parseArguments } from '../../src/cli/parse-arguments.js'

/** Every `vhostkit …` that a text of ours quotes: what doctor prints, hints, help. Values become one word. */
function listAdvice(): { file: string; words: string[] }[] {
  const names = readdirSync('src', { recursive: true, encoding: 'utf8' })
  return names
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) =>
      readFileSync(join('src', name), 'utf8')
        .split('\n')
        .flatMap(quotedCommands)
        .map((text) => ({
          file: name,
          words: text
            .replace(/\$\{[^}]*\}/g, 'x')
            .trim()
            .split(/\s+/),
        })),
    )
}

/** Within a string: the backtick is escaped, or stands in a text between single quotes. */
function quotedCommands(line: string): string[] {
  return [...line.matchAll(/(\\?)`vhostkit ([^`\\]+)\\?`/g)]
    .filter(({ index, 1: slash }) => slash === '\\' || line.slice(0, index).split("'").length % 2 === 0)
    .map(([, , text = '']) => text)
}

describe('what messages advise', () => {
  it('is a command that the command line takes, whole or by its name', async () => {
    const advice = listAdvice()
    for (const { file, words } of advice) {
      const isName = words.length === 1 && commands.some(({ name }) => name === words[0])
      if (!isName) await assert.doesNotReject(parseArguments(words), `${file}: vhostkit ${words.join(' ')}`)
    }
    assert.ok(advice.length > 80, `${advice.length} commands`)
  })

  it('would not get away with another one', () => {
    assert.deepEqual(quotedCommands("hint: 'Try `vhostkit aply x` once.'"), ['aply x'])
    assert.deepEqual(quotedCommands('hint: `Try \\`vhostkit aply x\\` once.`'), ['aply x'])
    assert.deepEqual(quotedCommands('sentence: `vhostkit has a fault`'), [])
  })
})
