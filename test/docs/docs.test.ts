import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArguments } from '../../src/cli/parse-arguments.js'
import { parseSpec } from '../../src/core/spec/parse-spec.js'
import { listPages, ourWords, readBlocks, reasons, rigs, splitCommands } from './read-pages.js'

const blocks = listPages().flatMap(readBlocks)

/** What a line of a block that is no "sh" must not begin with: it would be a command that nobody runs. */
const command = /^\s*(\$ |sudo |(vhostkit|virsh|npm|node \S+\.m?js|systemctl|ssh|apt-get|meson|ninja) )/

describe('documents', () => {
  it('say of each command who runs it, or why nobody does', () => {
    const marks = [
      ...Object.keys(rigs).map((rig) => `sh run ${rig}`.trim()),
      ...reasons.map((reason) => `sh unrun ${reason}`),
    ]
    for (const { page, kind, lines } of blocks) {
      const where = `${page}: ${kind === '' ? 'a block' : kind}: ${lines[0]}`
      if (kind.startsWith('sh')) assert.ok(marks.includes(kind), where)
      else
        assert.deepEqual(
          [kind === 'indented', lines.filter((line) => command.test(line))],
          [false, []],
          where,
        )
    }
    for (const mark of marks)
      assert.ok(
        blocks.some(({ kind }) => kind === mark),
        `${mark} is for something`,
      )
  })

  it('have only commands that the command line takes', async () => {
    const scripts = (JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> })
      .scripts
    let seen = 0
    for (const { page, kind, lines } of blocks.filter((block) => block.kind.split(' ')[0] === 'sh')) {
      for (const line of lines) {
        for (const words of splitCommands(line)) {
          const ours = ourWords(words)
          if (ours !== null) {
            seen++
            await assert.doesNotReject(parseArguments(ours), `${page} (${kind}): ${line}`)
          }
          if (words[0] === 'npm' && words[1] === 'run')
            assert.ok((words[2] ?? '') in scripts, `${page}: ${line}`)
        }
      }
    }
    assert.ok(seen > 50, `${seen} commands`)
    for (const page of listPages()) {
      for (const [all, name = ''] of readFileSync(page, 'utf8').matchAll(/`npm run ([\w:]+)/g))
        assert.ok(name in scripts, `${page}: ${all}`)
    }
  })

  it('would not get away with a command that is not there', async () => {
    for (const line of [
      'vhostkit aply pair.yaml',
      'vhostkit top --onse # now',
      'node bin/vhostkit.js plan',
    ]) {
      const [ours] = splitCommands(line).map(ourWords)
      assert.ok(ours !== undefined && ours !== null)
      await assert.rejects(parseArguments(ours), { code: 'usage' }, line)
    }
  })

  it('have only specs that are specs', () => {
    const specs = blocks.filter(
      ({ kind, lines }) => kind === 'yaml' && lines.some((line) => line.startsWith('version:')),
    )
    assert.ok(specs.length >= 5)
    for (const { page, lines } of specs) {
      const parsed = parseSpec(lines.join('\n'), page)
      assert.ok('ok' in parsed, `${page}: ${JSON.stringify(parsed)}`)
    }
  })

  it('name only files that are there', () => {
    for (const page of listPages()) {
      const named = readFileSync(page, 'utf8').matchAll(
        /`((?:docs|native|test|src|bin|hooks|templates)\/[\w./-]+\.\w+)`/g,
      )
      for (const [, path = ''] of named) {
        if (path.includes('NAME')) continue
        assert.ok(
          [path, join(dirname(page), path), join(dirname(page), '..', path)].some(existsSync),
          `${page} names ${path}`,
        )
      }
    }
  })
})
