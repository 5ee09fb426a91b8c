import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  makeServiceFiles,
  planFiles,
  planRemoval,
  removeFiles,
  writeFiles,
} from '../../src/apply/service-files.js'
import { plainSwitchArgv } from '../../src/apply/switch-alone.js'

describe('installing the service', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'vks-'))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const make = (program = '/usr/bin/true') => {
    const folders = { run: '/run/vhostkit', state: '/var/lib/vhostkit' }
    return makeServiceFiles(process.cwd(), plainSwitchArgv(folders, program), folders.run)
  }
  const unit = () => join(root, 'etc/systemd/system/vhostkit-switch.service')
  const actions = async (program?: string) =>
    (await planFiles(root, await make(program))).map(({ action }) => action)

  it('writes once, updates its own, and removes all of it', async () => {
    assert.deepEqual(await actions(), ['write', 'write', 'write'])
    await writeFiles(root, await make())
    assert.deepEqual(await actions(), ['same', 'same', 'same'])
    assert.deepEqual(await actions('/usr/bin/false'), ['update', 'same', 'same'])
    await writeFiles(root, await make('/usr/bin/false'))
    assert.match(readFileSync(unit(), 'utf8'), /^ExecStart=\/usr\/bin\/false --control/m)
    await removeFiles(await planRemoval(root))
    assert.ok(!existsSync(unit()))
    assert.deepEqual(
      (await planRemoval(root)).map(({ action }) => action),
      ['absent', 'absent', 'absent'],
    )
  })

  it('leaves what others wrote or edited, and says which', async () => {
    await writeFiles(root, await make())
    const edited = readFileSync(unit(), 'utf8').replace('WatchdogSec=10', 'WatchdogSec=99')
    writeFileSync(unit(), edited)
    const foreign = join(root, 'etc/tmpfiles.d/vhostkit.conf')
    writeFileSync(foreign, 'd /run/vhostkit\n')
    await assert.rejects(planFiles(root, await make('/usr/bin/false')), (error: Error & { code: string }) => {
      assert.equal(error.code, 'service-refused')
      assert.ok(error.message.includes(unit()) && error.message.includes(foreign), error.message)
      return true
    })
    const removal = await planRemoval(root)
    assert.deepEqual(
      removal.map(({ action }) => action),
      ['keep', 'remove', 'keep'],
    )
    await removeFiles(removal)
    assert.equal(readFileSync(unit(), 'utf8'), edited)
    assert.equal(readFileSync(foreign, 'utf8'), 'd /run/vhostkit\n')
  })
})
