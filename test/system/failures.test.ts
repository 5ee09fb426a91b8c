import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Artifacts } from '../../src/core/render/artifacts.js'
import { startMachine } from '../../src/drivers/qemu/start-machine.js'
import { lookAtHost, requireRoot } from './host-state.js'
import { startCli } from './run-cli.js'
import { errorOf, makeSandbox, type Sandbox } from './sandbox.js'

describe('what goes wrong', function () {
  this.timeout(30_000)
  let sandbox: Sandbox
  let before: ReturnType<typeof lookAtHost>

  beforeEach(async function () {
    requireRoot(this)
    before = lookAtHost()
    sandbox = await makeSandbox()
  })
  afterEach(async () => {
    await sandbox?.json('destroy', 'sandbox', '--grace', '0').catch(() => undefined)
    sandbox?.remove()
    assert.deepEqual(lookAtHost(), before)
  })

  it('a switch that cannot start: one error within 3 s, and nothing stays', async () => {
    mkdirSync(sandbox.run, { recursive: true })
    writeFileSync(`${sandbox.run}/switch-state.json`, '{"vhostkit_state": 1, damaged')
    const { exitCode, data, ms } = await sandbox.json('apply', sandbox.spec)
    assert.equal(exitCode, 1)
    assert.equal(errorOf(data).code, 'switch-start-failed')
    assert.match(errorOf(data).sentence, /did not start\. It ended at once \(exit code 3\)/)
    assert.ok(ms < 3_000, `${ms} ms`)
    assert.deepEqual(lookAtHost(), before)
  })

  it('a machine whose switch never comes: QEMU is ended, one error says why', async () => {
    const { data } = await sandbox.json('render', sandbox.spec)
    const [machine] = (data as unknown as Artifacts).machines
    assert.ok(machine)
    mkdirSync(machine.folder, { recursive: true })
    const memfd = machine.argv.map((word) => word.replace(/,hugetlb=.*$/, ''))
    const begin = performance.now()
    await assert.rejects(
      startMachine({ ...machine, argv: memfd }),
      /The switch did not connect to the socket/,
    )
    assert.ok(performance.now() - begin < 6_000)
    assert.deepEqual(lookAtHost(), before)
  })

  it('a refused spec: exit code 3, with line and path of each problem', async () => {
    const path = sandbox.writeSpec('version: 1\nname: bad name\nmachines:\n  - { name: one, memory: 3x }\n')
    const run = await startCli(['plan', path], sandbox.env).result
    assert.equal(run.exitCode, 3)
    assert.match(run.stderr, /spec\.yaml:2:7 name: expected/)
    assert.match(run.stderr, /spec\.yaml:4:\d+ machines\[0\]\.memory: expected/)
    assert.equal(run.stdout, '')
    const { data } = await sandbox.json('plan', path)
    assert.equal(errorOf(data).code, 'spec-refused')
  })

  it('a second tool waits for the lock, then says who holds it', async () => {
    mkdirSync(sandbox.state, { recursive: true })
    const startTime = Number(readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ')[19])
    const holder = { pid: process.pid, startTime, command: 'vhostkit apply other.yaml', since: '2026-01-01' }
    writeFileSync(`${sandbox.state}/lock`, JSON.stringify(holder))
    const { exitCode, data, ms } = await sandbox.json('apply', sandbox.spec, '--wait', '1')
    assert.equal(exitCode, 1)
    assert.equal(errorOf(data).code, 'lock-held')
    assert.match(
      errorOf(data).sentence,
      new RegExp(`"vhostkit apply other.yaml" \\(pid ${process.pid}, since`),
    )
    assert.ok(ms >= 1_000, `${ms} ms`)
    // A holder that is gone holds nothing.
    writeFileSync(`${sandbox.state}/lock`, JSON.stringify({ ...holder, startTime: startTime - 1 }))
    assert.equal((await sandbox.json('apply', sandbox.spec, '--wait', '1')).exitCode, 0)
  })

  it('four tools at once: all succeed, one of them changes something', async () => {
    const runs = await Promise.all([1, 2, 3, 4].map(() => sandbox.json('apply', sandbox.spec)))
    assert.deepEqual(
      runs.map(({ exitCode }) => exitCode),
      [0, 0, 0, 0],
    )
    assert.equal(runs.filter(({ data }) => data.changed).length, 1)
  })

  it('a start that fails is undone, and the deployment is stopped as before, not in the middle', async () => {
    assert.equal((await sandbox.json('apply', sandbox.spec)).exitCode, 0)
    assert.equal((await sandbox.json('stop', 'sandbox', '--grace', '0')).exitCode, 0)
    const folder = join(sandbox.run, 'machines/sandbox.one')
    rmSync(folder, { recursive: true })
    writeFileSync(folder, 'of somebody else')
    assert.notEqual((await sandbox.json('start', 'sandbox')).exitCode, 0)
    const { deployments } = (await sandbox.json('status')).data as { deployments: { status: string }[] }
    assert.equal(deployments[0]?.status, 'stopped')
    rmSync(folder, { force: true })
    assert.equal((await sandbox.json('start', 'sandbox')).exitCode, 0)
  })

  for (const line of [/make folder/, /start the switch/, /add tap port/, /add vhost-user port sandbox.two/]) {
    it(`killed at "${line.source}": destroy takes all of it down`, async () => {
      const run = sandbox.start('apply', sandbox.spec)
      await run.line(line)
      run.child.kill('SIGKILL')
      await run.result
      const doctor = await sandbox.json('doctor')
      assert.match(JSON.stringify(doctor.data), /did not end/)
      assert.equal((await sandbox.json('destroy', 'sandbox', '--grace', '0')).exitCode, 0)
      assert.deepEqual(lookAtHost(), before)
    })
  }

  it('destroyed while the switch is off: its next start forgets the ports', async () => {
    assert.equal((await sandbox.json('apply', sandbox.spec)).exitCode, 0)
    await sandbox.json('switch', 'stop')
    const destroyed = await sandbox.json('destroy', 'sandbox', '--grace', '0')
    assert.equal((destroyed.data.remembered as string[]).length, 3)
    const started = await sandbox.json('switch', 'start')
    assert.equal((started.data.forgotten as string[]).length, 3)
    const { data } = await sandbox.json('status')
    assert.deepEqual([data.ports, data.orphans], [[], []])
    await sandbox.json('switch', 'restart')
    assert.deepEqual((await sandbox.json('status')).data.ports, [])
    await sandbox.json('switch', 'stop')
  })

  it('with a tap of that name that is not its own: refused, and that tap stays', async () => {
    const { data } = await sandbox.json('render', sandbox.spec)
    const [tap] = (data as unknown as Artifacts).taps
    assert.ok(tap)
    execFileSync('ip', ['tuntap', 'add', 'dev', tap.ifname, 'mode', 'tap'])
    try {
      execFileSync('ip', ['link', 'set', 'dev', tap.ifname, 'alias', 'vhostkit /run/another'])
      const { exitCode, data: answer } = await sandbox.json('apply', sandbox.spec)
      assert.deepEqual([exitCode, errorOf(answer).code], [1, 'tap-failed'])
      assert.ok(lookAtHost().taps.includes(tap.ifname))
    } finally {
      execFileSync('ip', ['link', 'delete', 'dev', tap.ifname])
    }
  })

  it('interrupted in the middle of apply: undone', async () => {
    const run = sandbox.start('apply', sandbox.spec)
    await run.line(/start the switch/)
    run.child.kill('SIGINT')
    const { exitCode, stderr } = await run.result
    assert.equal(exitCode, 1, stderr)
    assert.match(stderr, /\[interrupted\]/)
    assert.deepEqual(lookAtHost(), before)
  })
})

describe('bin/setup', function () {
  this.timeout(120_000)

  it('has nothing to do and nothing to say the second time, within 3 s', async () => {
    const program = ['sh', '-c', 'sh bin/setup <&-']
    await startCli([], {}, program).result
    const { exitCode, stdout, stderr, ms } = await startCli([], {}, program).result
    assert.deepEqual({ exitCode, stdout, stderr }, { exitCode: 0, stdout: '', stderr: '' })
    assert.ok(ms < 3_000, `${ms} ms`)
  })
})
