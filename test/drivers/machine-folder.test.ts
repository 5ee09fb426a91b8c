import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeMachineFolder, shareSockets } from '../../src/drivers/host/machine-folder.js'

describe('the folder of a machine', () => {
  let machines = ''
  beforeEach(() => {
    machines = join(mkdtempSync(join(tmpdir(), 'vkm-')), 'machines')
    mkdirSync(machines)
  })
  afterEach(() => rmSync(join(machines, '..'), { recursive: true }))
  const modeOf = (path: string) => statSync(path).mode & 0o7777

  it('is for us alone, unless the one above gives its group', async () => {
    await makeMachineFolder(join(machines, 'a'))
    assert.equal(modeOf(join(machines, 'a')), 0o700)
    chmodSync(machines, 0o2751)
    for (const [name, uid] of [
      ['b', undefined],
      ['c', process.geteuid?.()],
    ] as const) {
      await makeMachineFolder(join(machines, name), uid)
      assert.equal(modeOf(join(machines, name)), 0o2750)
      assert.equal(statSync(join(machines, name)).gid, statSync(machines).gid)
    }
  })

  it('leaves nothing new when it cannot be given to its user, and nothing of others goes', async () => {
    const nobody = 2 ** 33
    for (const mode of [0o755, 0o2751]) {
      chmodSync(machines, mode)
      mkdirSync(join(machines, 'theirs'), { recursive: true })
      await assert.rejects(makeMachineFolder(join(machines, 'a'), nobody))
      await assert.rejects(makeMachineFolder(join(machines, 'theirs'), nobody))
      assert.deepEqual(readdirSync(machines), ['theirs'])
    }
  })

  it('lets the switch at its sockets only where it has its group', async () => {
    const server = createServer()
    const path = join(machines, 's')
    await new Promise<void>((resolve) => server.listen(path, resolve))
    chmodSync(path, 0o755)
    await shareSockets([path, join(machines, 'missing')])
    assert.equal(modeOf(path), 0o755)
    chmodSync(machines, 0o2750)
    await shareSockets([path])
    assert.equal(modeOf(path), 0o775)
    await new Promise((resolve) => server.close(resolve))
  })
})
