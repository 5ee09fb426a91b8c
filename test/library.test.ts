import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

describe('the library', () => {
  const run = (spec: string) =>
    spawnSync(process.execPath, ['docs/library-example.mjs', spec, 'test/hosts/two-node.json'], {
      encoding: 'utf8',
      timeout: 20_000,
    })

  it('runs its example, which imports the package by its name', function () {
    this.timeout(25_000)
    const { status, stdout, stderr } = run('templates/specs/pair.yaml')
    assert.equal(status, 0, stderr)
    assert.match(stdout, /^Plan of pair /)
    assert.match(stdout, /^vm1: \S*qemu-system-x86_64 /m)
    const refused = run('test/golden/cases/refused-twice/spec.yaml')
    assert.deepEqual([refused.status, refused.stdout], [3, ''])
    assert.match(refused.stderr, /\[key-duplicate\]/)
  })

  it('exports what its page names, and the JSON Schema', async () => {
    const page = readFileSync('docs/library.md', 'utf8')
    const library = (await import('../src/index.js')) as Record<string, unknown>
    const named = [...page.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)/g)].map(([, name = '']) => name),
    )
    assert.ok(named.length >= 8, named.join())
    for (const name of named) assert.equal(typeof library[name], 'function', name)
    const schema = createRequire(import.meta.url)('vhostkit/spec.schema.json') as { title: string }
    assert.equal(schema.title, 'vhostkit spec')
  })
})
