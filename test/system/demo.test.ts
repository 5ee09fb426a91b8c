import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { DemoResult } from '../../src/demo/demo-result.js'
import { blocksOf } from '../docs/read-pages.js'
import { lookAtHost, requireRoot } from './host-state.js'
import { startCli } from './run-cli.js'

describe('the demo of README.md', function () {
  this.timeout(150_000)
  before(function () {
    requireRoot(this)
  })

  it('prints one JSON object with every figure, and leaves nothing behind', async () => {
    const before = lookAtHost()
    const [[, [block]] = ['', []]] = blocksOf('demo')
    const command = block?.lines[0]?.replace(/\s+#.*$/, '') ?? assert.fail('README.md has a command for it')
    const run = startCli(['-c', `${command} -- --json`], { npm_config_loglevel: 'silent' }, ['sh'])
    const { exitCode, stdout, stderr, ms } = await run.result
    assert.equal(exitCode, 0, stderr)
    const result = JSON.parse(stdout) as DemoResult
    assert.equal(stdout.trim().split('\n').length, 1)
    assert.equal(result.driver, 'qemu')
    assert.match(result.accel, /^(kvm|tcg)$/)
    assert.match(result.memory, /^(hugepages|memfd)$/)
    assert.equal(result.boot_ms.length, 2)
    assert.ok(
      result.boot_ms.every((boot) => boot > 0 && boot < 60_000),
      stdout,
    )
    assert.deepEqual([result.ping.sent, result.ping.received], [20, 20])
    assert.ok((result.ping.rtt_avg_ms ?? 0) > 0)
    assert.deepEqual(result.host_ping, { sent: 10, received: 10 })
    assert.equal(result.reconnect.kills, 5)
    const { p50, max } = result.reconnect.outage_ms
    assert.ok(p50 > 0 && p50 <= max && max < 2_000, stdout)
    assert.ok(result.vm_restart_ms > 0 && result.vm_restart_ms < 60_000, stdout)
    assert.deepEqual(result.left_behind, [])
    assert.equal(result.ok, true)
    assert.ok(ms < 120_000, `${ms} ms`)
    assert.deepEqual(lookAtHost(), before)
  })
})

describe('the demo, when a machine fails', function () {
  this.timeout(90_000)
  let bin = ''
  before(function () {
    requireRoot(this)
    bin = mkdtempSync(join(tmpdir(), 'vk-bin-'))
  })
  after(() => {
    if (bin !== '') rmSync(bin, { recursive: true })
  })

  /** Runs the demo with a QEMU that first does, for each machine, what the shell is told; `$now` is there once vm1 runs. */
  const runWith = async (vm1: string, vm2: string) => {
    const qemu = execFileSync('which', ['qemu-system-x86_64'], { encoding: 'utf8' }).trim()
    const now = join(bin, 'now')
    rmSync(now, { force: true })
    const lines = [
      '#!/bin/sh',
      `later() { until [ -e ${now} ]; do sleep 0.1; done; sleep 0.3; }`,
      `case "$*" in *guest=pair.vm1,*) ${vm1} ;; *guest=pair.vm2,*) ${vm2} ;; esac`,
      `exec ${qemu} "$@"`,
    ]
    writeFileSync(join(bin, 'qemu-system-x86_64'), `${lines.join('\n')}\n`, { mode: 0o755 })
    const run = startCli(['demo', '--kills', '1'], { PATH: `${bin}${delimiter}${process.env.PATH}` })
    await run.line(/^.*start machine vm1$/m)
    writeFileSync(now, '')
    const { exitCode, stderr } = await run.result
    return { exitCode, error: stderr.slice(stderr.indexOf('vhostkit: ')).trim().split('\n') }
  }

  it('takes down the one that boots when the other does not start', async () => {
    const before = lookAtHost()
    const { exitCode, error } = await runWith(':', 'later; echo out of order >&2; exit 3')
    assert.equal(error.length, 2, error.join('\n'))
    assert.doesNotMatch(error[1] ?? '', /vhostkit-demo-/, 'no file that is gone')
    assert.match(
      error[0] ?? '',
      /Machine vm2 did not start\..* out of order\. What was done before is undone\. \[qemu-start-failed\]$/,
    )
    assert.equal(exitCode, 1)
    assert.deepEqual(lookAtHost(), before)
  })

  it('takes down all when a guest ends while the other still starts', async () => {
    const before = lookAtHost()
    const { exitCode, error } = await runWith('(later; kill -9 $$) &', 'later; sleep 1')
    assert.match(error[0] ?? '', /The console of vm1 was closed .*\[console-failed\]$/)
    assert.equal(error.length, 2, error.join('\n'))
    assert.equal(exitCode, 1)
    assert.deepEqual(lookAtHost(), before)
  })
})

describe('the demo, interrupted', function () {
  this.timeout(60_000)
  before(function () {
    requireRoot(this)
  })

  const moments = [
    { when: 'while the host is looked at', line: /look at the host/, signal: 'SIGINT' },
    {
      when: 'after the hugepages were reserved',
      line: /reserve \d+ hugepages|make folder/,
      signal: 'SIGTERM',
    },
    { when: 'while QEMU starts', line: /add vhost-user port pair.vm2/, signal: 'SIGINT' },
    { when: 'while the guests boot', line: /waiting for the guests/, signal: 'SIGINT' },
    { when: 'while the machines ping each other', line: /ping machine to machine/, signal: 'SIGHUP' },
    { when: 'between kills of the switch', line: /kill 1: /, signal: 'SIGTERM' },
    { when: 'while a machine is started again', line: /kill one machine/, signal: 'SIGINT' },
  ] as const

  for (const { when, line, signal } of moments) {
    it(`cleans up after ${signal} ${when}`, async () => {
      const before = lookAtHost()
      const run = startCli(['demo', '--kills', '1'])
      await run.line(line)
      run.child.kill(signal)
      const { exitCode, stderr } = await run.result
      assert.equal(exitCode, 1, stderr)
      assert.match(stderr, /Interrupted; everything that was started is gone again/)
      assert.deepEqual(lookAtHost(), before)
    })
  }

  it('takes down what a demo left that was ended by SIGKILL', async () => {
    const before = lookAtHost()
    const killed = startCli(['demo'])
    await killed.line(/waiting for the guests/)
    killed.child.kill('SIGKILL')
    await killed.result
    assert.notDeepEqual(lookAtHost(), before)
    const next = startCli(['demo'])
    await next.line(/taking down what the demo of pid/)
    await next.line(/look at the host/)
    next.child.kill('SIGINT')
    const { stderr } = await next.result
    assert.match(stderr, /Interrupted/)
    assert.deepEqual(lookAtHost(), before)
  })
})
