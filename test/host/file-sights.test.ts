import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readFileSights } from '../../src/host/file-sights.js'

describe('files that are looked at while their path is typed', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'vkt-sights-'))
    for (const name of ['vmlinuz-1', 'vmlinuz-2', 'vmlinuz-3', 'vmlinuz-4', 'taken.yaml']) {
      writeFileSync(join(folder, name), name)
    }
    mkdirSync(join(folder, 'below'))
    execFileSync('mkfifo', [join(folder, 'pipe')])
  })
  after(() => rmSync(folder, { recursive: true }))

  it('are files that can be read; else it says what is there', () => {
    const { whyUnreadable } = readFileSights(folder, false)
    const of = (name: string) => whyUnreadable(join(folder, name))?.replaceAll(folder, 'F') ?? null
    assert.equal(of('vmlinuz-1'), null)
    assert.equal(of('vml'), 'a file that is there; in F there is vmlinuz-1, vmlinuz-2, vmlinuz-3, … (4)')
    assert.equal(of('x'), 'a file that is there; in F nothing begins with x')
    writeFileSync(join(folder, 'below', 'a\u001b[2Jb'), '')
    assert.equal(of('below/a'), 'a file that is there; in F/below there is a?[2Jb')
    assert.equal(of('none/x'), 'a file that is there; there is no folder F/none to look into')
    assert.equal(of('vmlinuz-1/x'), 'a file that is there; there is no folder F/vmlinuz-1 to look into')
    assert.equal(of('below'), 'a file; F/below is a folder')
    assert.equal(of('pipe'), 'a file; F/pipe is none')
    assert.match(of('x'.repeat(300)) ?? '', /another path; .* ENAMETOOLONG/)
  })

  it('are new files in a folder that can be written; else it says why not', () => {
    const of = (name: string, force = false) =>
      readFileSights(folder, force).whyUnwritable(name)?.replaceAll(folder, 'F') ?? null
    assert.deepEqual([of('new.yaml'), of('below/new.yaml'), of(join(folder, 'new.yaml'))], [null, null, null])
    assert.equal(of('./taken.yaml'), 'a file that is not there yet; F/taken.yaml is')
    assert.equal(of('taken.yaml', true), null)
    assert.equal(of('below', true), 'the name of a file; F/below is a folder')
    assert.equal(of('none/new.yaml'), 'a folder that is there; F/none is not')
  })

  it('are those that this user may read and write', () => {
    const closed = join(folder, 'closed')
    mkdirSync(closed)
    writeFileSync(join(closed, 'kernel'), 'x')
    chmodSync(join(closed, 'kernel'), 0o000)
    chmodSync(closed, 0o555)
    chmodSync(folder, 0o755)
    try {
      // Root may do anything, so it becomes nobody once it has read the code.
      const script = `
        import { readFileSights } from '${join(process.cwd(), 'dist/src/host/file-sights.js')}'
        const { whyUnreadable, whyUnwritable } = readFileSights('${closed}', false)
        if (process.getuid() === 0) process.setuid(65534)
        console.log(JSON.stringify([whyUnreadable('${closed}/kernel'), whyUnwritable('new.yaml')]))`
      const seen = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
      const uid = process.getuid?.() === 0 ? 65534 : process.getuid?.()
      assert.deepEqual(JSON.parse(seen.stdout.replaceAll(closed, 'F') || seen.stderr), [
        `a path that you may read; F/kernel is closed to user ${uid}`,
        `a path that you may write; F is closed to user ${uid}`,
      ])
    } finally {
      chmodSync(closed, 0o755)
    }
  })
})
