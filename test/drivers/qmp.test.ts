import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parsePidFile, readRunningPid } from '../../src/drivers/qemu/pid-file.js'
import { QmpClient, type QmpEvent } from '../../src/drivers/qemu/qmp.js'
import { startFailure } from '../../src/drivers/qemu/start-failure.js'
import { type LineServer, serveLines } from './line-server.js'

const greeting = { QMP: { version: { qemu: { major: 7 } }, capabilities: [] } }

describe('QMP client', () => {
  let server: LineServer | undefined
  afterEach(async () => {
    await server?.close()
    server = undefined
  })

  it('agrees on capabilities first, then commands', async () => {
    const asked: unknown[] = []
    server = await serveLines(({ id, execute }, send) => {
      asked.push(execute)
      send({ id, return: execute === 'query-status' ? { status: 'running' } : {} })
    }, greeting)
    const client = await QmpClient.connect(server.path)
    assert.deepEqual(await client.call('query-status'), { status: 'running' })
    assert.deepEqual(asked, ['qmp_capabilities', 'query-status'])
    client.close()
  })

  it('hands on events and refusals', async () => {
    server = await serveLines(({ id, execute }, send) => {
      if (execute === 'qmp_capabilities') return send({ id, return: {} })
      send({ event: 'SHUTDOWN', data: { guest: false }, timestamp: {} })
      send({ id, error: { class: 'GenericError', desc: 'no such device' } })
    }, greeting)
    const client = await QmpClient.connect(server.path)
    const events: QmpEvent[] = []
    client.onEvent((event) => events.push(event))
    await assert.rejects(client.call('device_del'), /no such device/)
    assert.deepEqual(events, [{ event: 'SHUTDOWN', data: { guest: false } }])
    client.close()
  })

  it('gives up on a QEMU that waits for its switch: connected, but no greeting', async () => {
    server = await serveLines(() => undefined)
    await assert.rejects(QmpClient.connect(server.path, 30), /Waited 0.03 s for QEMU's greeting/)
  })

  it('fails what is open when QEMU ends', async () => {
    server = await serveLines(({ id, execute }, send, socket) => {
      if (execute === 'quit') socket.destroy()
      else send({ id, return: {} })
    }, greeting)
    const client = await QmpClient.connect(server.path)
    await assert.rejects(client.call('quit'), { code: 'monitor-failed' })
    await assert.rejects(client.call('query-status'), { code: 'monitor-failed' })
  })
})

describe('what QEMU says when it does not start', () => {
  const cases: [string, RegExp][] = [
    ['qemu-system-x86_64: failed to init vhost_net for queue 0', /did not agree on features/],
    ['info: QEMU waiting for connection on: disconnected:unix:/p', /The switch did not connect/],
    ['qemu-system-x86_64: you are asking more queues than supported: 1', /more queues/],
    ['error: failed to set MSR 0x10a to 0x0', /KVM is there but does not work/],
    ['unable to map backing store for guest RAM: Cannot allocate memory', /memory of the machine/],
    [
      'info: QEMU waiting for connection on: disconnected:unix:/p\nqemu: linux kernel too old to load a ram disk',
      /kernel or initrd of the machine cannot be read.*ram disk\.$/,
    ],
    ['something new', /QEMU ended with exit code 1\. QEMU said: something new/],
  ]
  for (const [said, meant] of cases) {
    it(said, () => {
      const error = startFailure('vm1', 'QEMU ended with exit code 1.', said)
      assert.equal(error.code, 'qemu-start-failed')
      assert.match(error.message, meant)
      assert.notEqual(error.hint, '')
    })
  }

  it('finds a machine whose pid file was never written', async () => {
    const pidFile = '/nowhere/vkt/qemu.pid'
    const argv = ['-c', 'read line', 'qemu', '-pidfile', pidFile]
    const child = spawn('sh', argv, { stdio: ['pipe', 'ignore', 'ignore'] })
    await once(child, 'spawn')
    try {
      assert.equal(await readRunningPid(pidFile, '/nowhere/vkt/qmp.sock'), child.pid)
      assert.equal(await readRunningPid('/nowhere/vkt2/qemu.pid', '/nowhere/vkt2/qmp.sock'), null)
    } finally {
      child.kill('SIGKILL')
    }
  })

  for (const [what, text] of [
    ['another process', `${process.pid}\n`],
    ['a process that is gone', '999999999 1\n'],
    ['nothing that is a pid', 'garbage'],
  ] as const) {
    it(`finds a machine whose pid file names ${what}: no second one is started`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'vkt-'))
      const pidFile = join(folder, 'qemu.pid')
      writeFileSync(pidFile, text)
      const argv = ['-c', 'read line', 'qemu', '-pidfile', pidFile]
      const child = spawn('sh', argv, { stdio: ['pipe', 'ignore', 'ignore'] })
      await once(child, 'spawn')
      try {
        assert.equal(await readRunningPid(pidFile, join(folder, 'qmp.sock')), child.pid)
      } finally {
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
      }
      assert.equal(await readRunningPid(pidFile, join(folder, 'qmp.sock')), null)
      rmSync(folder, { recursive: true })
    })
  }

  it('reads our pid file and the one QEMU writes over it', () => {
    assert.deepEqual(parsePidFile('12 345\n'), { pid: 12, startTime: 345 })
    assert.deepEqual(parsePidFile('12\n'), { pid: 12, startTime: null })
    assert.equal(parsePidFile('12 x\n'), null)
  })
})
