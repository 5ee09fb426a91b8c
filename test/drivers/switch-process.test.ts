import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSwitch, stopSwitch } from '../../src/drivers/switch/process.js'
import { isAlive } from '../../src/world/processes.js'
import { serveLines } from './line-server.js'

describe('a switch that hangs', function () {
  this.timeout(15_000)
  const folder = mkdtempSync(join(tmpdir(), 'vkt-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('is ended by its command line, and only the one of that socket', async () => {
    const control = join(folder, 'run/switch.sock')
    const server = await serveLines(() => undefined, undefined, control)
    const program = join(folder, 'vhostkit-switch')
    copyFileSync('/bin/sh', program)
    const start = async (socket: string) => {
      const child = spawn(program, ['-c', 'echo up; while :; do sleep 1; done', 'sh', '--control', socket])
      await once(child.stdout, 'data')
      return child
    }
    const [hanging, other] = await Promise.all([start(control), start(`${control}2`)])
    try {
      assert.equal(await stopSwitch(control, 300), true)
      assert.deepEqual([await isAlive(hanging.pid ?? 0), await isAlive(other.pid ?? 0)], [false, true])
    } finally {
      hanging.kill('SIGKILL')
      other.kill('SIGKILL')
      await server.close()
    }
    assert.equal(await stopSwitch(control), false, 'nobody listens any more')
  })

  it('is ended as well when nobody finds its socket any more', async () => {
    const control = join(folder, 'removed/switch.sock')
    const program = join(folder, 'vhostkit-switch')
    copyFileSync('/bin/sh', program)
    const child = spawn(program, ['-c', 'echo up; while :; do sleep 1; done', 'sh', '--control', control])
    await once(child.stdout, 'data')
    try {
      assert.equal(await stopSwitch(control, 300), true)
      assert.equal(await isAlive(child.pid ?? 0), false)
    } finally {
      child.kill('SIGKILL')
    }
  })

  it('at its start is ended as soon as somebody has no more time for it', async () => {
    const control = join(folder, 'hang/switch.sock')
    const pidFile = join(folder, 'pid')
    const argv = ['sh', '-c', `echo $$ >${pidFile}; while :; do sleep 1; done`]
    const begin = performance.now()
    await assert.rejects(startSwitch(argv, control, AbortSignal.timeout(500)), { name: 'TimeoutError' })
    assert.ok(performance.now() - begin < 2_500, `${performance.now() - begin} ms`)
    assert.equal(await isAlive(Number(readFileSync(pidFile, 'utf8'))), false)
  })
})
