import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { specOf } from '../plan-of.js'

describe('init without a terminal', function () {
  this.timeout(30_000)
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vkt-init-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const launcher = join(process.cwd(), 'bin/vhostkit.js')
  const run = (words: string[], input = '') =>
    spawnSync(process.execPath, [launcher, 'init', ...words], {
      cwd: folder,
      input,
      encoding: 'utf8',
      timeout: 25_000,
    })

  it('says how it is used instead of waiting', () => {
    const { status, stdout, stderr } = run([])
    assert.equal(status, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /\[usage\]\n.*--answers FILE/)
  })

  it('replays answers from stdin, writes a spec that can be read back, and never writes over one', () => {
    writeFileSync(join(folder, 'k'), 'a kernel')
    const answers = `name: web\nnetworks: lan\nmachines: 3\nboot: own\nkernel: ${folder}/k\nmemory: 512M\nfile: out.yaml\n`
    const first = run(['--answers', '-', '--json'], answers)
    assert.equal(first.status, 0, first.stderr)
    const { file, applied, answers: given } = JSON.parse(first.stdout) as Record<string, unknown>
    assert.deepEqual([file, applied], [join(folder, 'out.yaml'), null])
    assert.equal((given as Record<string, string>).memory, '512M')
    const text = readFileSync(join(folder, 'out.yaml'), 'utf8')
    assert.deepEqual(
      specOf(text).machines.map(({ name, memoryBytes }) => [name, memoryBytes]),
      ['vm1', 'vm2', 'vm3'].map((name) => [name, 512 * 1024 ** 2]),
    )
    writeFileSync(join(folder, 'out.yaml'), 'mine\n')
    const second = run(['--answers', '-'], answers)
    assert.deepEqual([second.status, readFileSync(join(folder, 'out.yaml'), 'utf8')], [3, 'mine\n'])
    assert.equal(run(['--answers', '-', '--force'], answers).status, 0)
    // The host gets an address that is free at the moment: another test may have a tap by now.
    const withoutHost = (spec: string) => spec.replace(/^ +host: .*\n/m, '')
    assert.equal(withoutHost(readFileSync(join(folder, 'out.yaml'), 'utf8')), withoutHost(text))
  })

  it('writes nothing when an answer is wrong', () => {
    writeFileSync(join(folder, 'a.json'), '{"memory": "255M", "boot": "own"}')
    const { status, stderr } = run(['--answers', 'a.json'])
    assert.equal(status, 3)
    assert.match(
      stderr,
      /a\.json: kernel: expected an absolute path.*memory: expected a multiple of 2M.*\[answers-refused\]/s,
    )
    assert.equal(existsSync(join(folder, 'lab.yaml')), false)
    assert.equal(run(['--answers', 'none.json']).status, 3)
  })
})
