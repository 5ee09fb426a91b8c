import assert from 'node:assert/strict'
import { explanations } from '../../src/core/doctor/troubleshooting.js'
import { startCli } from './run-cli.js'

/** Commands of other programs that `explain` and docs/troubleshooting.md tell people to look with: those only read. */
const looks = [
  ...new Set(
    explanations().flatMap(({ look }) => [...look.matchAll(/`([^`]+)`/g)].map(([, command = '']) => command)),
  ),
].filter((command) => !/^(vhostkit |-)/.test(command))

/** What a shell or a program says to words that it does not know. */
const misspelt = /unknown|unrecognized|invalid option|not found|bad usage/i

describe('where to look', () => {
  it('is said by commands', () => assert.ok(looks.length > 40, looks.join('\n')))

  // What they find is the host's; that the program is there and knows the words is ours.
  for (const command of looks) {
    it(command, async () => {
      const { exitCode, stderr } = await startCli(['-c', command], { LC_ALL: 'C' }, ['bash']).result
      assert.ok(exitCode !== 126 && exitCode !== 127 && !misspelt.test(stderr), `${exitCode}: ${stderr}`)
    })
  }

  it('would not be said by one that is not there, or has other options', async () => {
    for (const [command, pattern] of [
      ['nvmastat', /not found/],
      ['ls --colour-me', misspelt],
    ] as const)
      assert.match((await startCli(['-c', command], { LC_ALL: 'C' }, ['bash']).result).stderr, pattern)
  })
})
