import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { problem } from '../../src/core/doctor/finding.js'
import type { Repair } from '../../src/core/doctor/repair.js'
import { carryOut } from '../../src/doctor/carry-out.js'

describe('a repair', () => {
  let base = ''
  let folder = ''
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'vkt-'))
    folder = join(base, 'folder')
    mkdirSync(folder)
    chmodSync(folder, 0o777)
  })
  afterEach(() => rmSync(base, { recursive: true }))

  const modeOf = () => statSync(folder).mode & 0o7777
  const open = (repair: Repair) => problem('folder-open', 'run folder', 'is open', 'Why.', 'Fix.', repair)
  const close = (path = folder) => {
    const repair = { do: 'set-mode', path, mode: 0o750 } as const
    return { finding: open(repair), repair }
  }

  it('that helped stays', async () => {
    const done = await carryOut(close(), '', async () => {
      assert.equal(modeOf(), 0o750, 'it was looked at after the repair')
      return []
    })
    assert.deepEqual([done.outcome, done.why, modeOf()], ['mended', '', 0o750])
  })

  it('that did not help is undone', async () => {
    const one = close()
    const done = await carryOut(one, '', async () => [one.finding])
    assert.equal(done.outcome, 'undone')
    assert.match(done.why, /it did not help: is open/)
    assert.equal(modeOf(), 0o777)
  })

  it('after which nobody could look is undone, and says why', async () => {
    const done = await carryOut(close(), '', async () => {
      throw new Error('libvirt went away')
    })
    assert.deepEqual([done.outcome, done.why, modeOf()], ['undone', 'libvirt went away', 0o777])
  })

  it('is done to no link and to no file that is not there', async () => {
    symlinkSync(folder, join(base, 'link'))
    for (const name of ['link', 'nothing']) {
      const done = await carryOut(close(join(base, name)), '', async () => [])
      assert.deepEqual([done.outcome, modeOf()], ['undone', 0o777])
    }
  })
})
