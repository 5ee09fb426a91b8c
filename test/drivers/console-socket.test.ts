import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openConsole, parseSocketUse } from '../../src/drivers/console-socket.js'

/** As the kernel prints it: number, count, protocol, flags, type, state, inode, path. */
const table = `Num       RefCount Protocol Flags    Type St Inode Path
ffff0001: 00000002 00000000 00010000 0001 01 1001 /run/a b/console.sock
ffff0002: 00000003 00000000 00000000 0001 03 1002 /run/a b/console.sock
ffff0003: 00000002 00000000 00000000 0001 02     0 /run/a b/console.sock
ffff0004: 00000002 00000000 00000000 0001 02     0 /run/a b/console.sock
ffff0005: 00000003 00000000 00000000 0001 03 1005 /run/a b/console.sock.other
ffff0006: 00000003 00000000 00000000 0001 03 1006
ffff0007: 00000003 00000000 00000000 0001 03 1007 @/run/a b/console.sock
`

describe('the socket of a console', () => {
  const signal = new AbortController().signal
  let folder: string
  let path: string
  let server: Server | null = null
  const taken: Socket[] = []
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vkt-console-'))
    path = join(folder, 'console.sock')
  })
  afterEach(async () => {
    for (const socket of taken.splice(0)) socket.destroy()
    await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)))
    server = null
    rmSync(folder, { recursive: true })
  })

  it('is counted by the lines of its path alone', () => {
    assert.deepEqual(parseSocketUse(table, '/run/a b/console.sock'), { served: 1, waiting: 2 })
    assert.deepEqual(parseSocketUse(table, '/run/absent'), { served: 0, waiting: 0 })
    assert.deepEqual(parseSocketUse('', '/run/absent'), { served: 0, waiting: 0 })
  })

  it('takes one, and names the second at once', async () => {
    server = createServer((socket) => void taken.push(socket)).listen(path)
    const first = await openConsole('vm1', path, signal)
    await assert.rejects(openConsole('vm1', path, signal), { code: 'console-busy' })
    first.destroy()
  })

  it('says that the machine is off when nobody listens', async () => {
    await assert.rejects(openConsole('vm1', path, signal), {
      code: 'console-failed',
      message: /vm1 does not run/,
    })
  })
})
