import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from '../../src/world/wait-for.js'
import { lookAtHost, requireRoot } from './host-state.js'
import { startCli } from './run-cli.js'
import { makeSandbox, type Sandbox } from './sandbox.js'
import { sendSignal } from './send-signal.js'

interface Status {
  switch: { pid: number; supervisor_pid: number } | null
  deployments: {
    deployment: string
    status: string
    machines: { name: string; running: boolean; pid: number }[]
  }[]
  ports: { name: string; state: string; captures?: unknown[] }[]
}

describe('a deployment from apply to destroy', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  let untouched: ReturnType<typeof lookAtHost>

  before(async function () {
    requireRoot(this)
    untouched = lookAtHost()
    sandbox = await makeSandbox()
  })
  after(async () => {
    await sandbox?.json('destroy', 'sandbox', '--grace', '0').catch(() => undefined)
    sandbox?.remove()
  })

  const status = async () => (await sandbox.json('status')).data as unknown as Status
  const captures = async () =>
    (await status()).ports.reduce((sum, { captures: clients = [] }) => sum + clients.length, 0)
  const pidOf = async (name: string) =>
    (await status()).deployments[0]?.machines.find((machine) => machine.name === name)?.pid

  it('shows the steps and changes nothing with --dry-run', async () => {
    const { exitCode, data } = await sandbox.json('apply', sandbox.spec, '--dry-run')
    assert.equal(exitCode, 0)
    assert.ok((data.steps as unknown[]).length > 5)
    assert.deepEqual(lookAtHost(), untouched)
    assert.equal((await sandbox.json('diff', sandbox.spec)).exitCode, 5)
  })

  it('is applied, and a second time nothing changes', async () => {
    const first = await sandbox.json('apply', sandbox.spec)
    assert.equal(first.exitCode, 0, JSON.stringify(first.data))
    assert.equal(first.data.changed, true)
    const second = await sandbox.json('apply', sandbox.spec)
    assert.deepEqual([second.exitCode, second.data.changed, second.data.steps], [0, false, []])
    assert.equal((await sandbox.json('diff', sandbox.spec)).exitCode, 0)
  })

  it('is seen by status and doctor', async () => {
    const { deployments, ports, switch: running } = await status()
    assert.ok((running?.supervisor_pid ?? 0) > 0)
    assert.deepEqual(
      deployments[0]?.machines.map(({ running: runs }) => runs),
      [true, true],
    )
    assert.equal(ports.length, 3)
    const doctor = await sandbox.json('doctor')
    assert.equal(doctor.exitCode, 0, JSON.stringify(doctor.data))
  })

  it('is captured: what a ping says, both ways, and nothing else of it', async () => {
    const ping = (count: number) =>
      startCli(['-n', '-q', '-i', '0.2', '-c', String(count), '-W', '1', '192.168.78.11'], {}, ['ping'])
        .result
    await waitFor(
      { what: 'the machine to answer a ping', limitMs: 25_000 },
      async () => (await ping(1)).exitCode === 0,
    )
    const vhostkit = `${process.execPath} bin/vhostkit.js`
    const fields = '-T fields -e frame.packet_flags_direction -e icmp.type'
    const seen = startCli(
      ['-c', `${vhostkit} capture sandbox.one.net0 --filter icmp --count 10 | tshark -r - ${fields}`],
      sandbox.env,
      ['bash'],
    )
    const begun = startCli(
      ['-c', `${vhostkit} capture sandbox.one.net0 | tshark -c 2 -r - >/dev/null; echo $PIPESTATUS`],
      sandbox.env,
      ['bash'],
    )
    const whole = join(sandbox.base, 'whole.pcapng')
    const all = startCli(
      ['capture', 'sandbox.one.net0', '--write', whole, '--snaplen', '64', '--json'],
      sandbox.env,
    )
    await waitFor({ what: 'three captures', limitMs: 15_000 }, async () => (await captures()) === 3)
    assert.equal((await ping(5)).exitCode, 0)
    // Requests go to the machine, outbound as the switch sees it; answers come from it.
    const lines = (await seen.result).stdout.trim().split('\n').sort()
    assert.deepEqual(lines, [...Array(5).fill('0x00000001\t0'), ...Array(5).fill('0x00000002\t8')])
    assert.equal((await begun.result).stdout, '0\n') // who reads has enough: no fault
    all.child.kill('SIGINT')
    const { stdout, exitCode } = await all.result
    const end = JSON.parse(stdout) as { frames: number; lost: number; ended: string }
    assert.deepEqual([exitCode, end.lost, end.ended], [0, 0, 'interrupted'])
    const read = await startCli(['-r', whole, '-T', 'fields', '-e', 'frame.cap_len'], {}, ['tshark']).result
    const lengths = read.stdout.trim().split('\n').map(Number)
    assert.equal(lengths.length, end.frames, read.stderr)
    assert.ok(end.frames >= 10 && Math.max(...lengths) === 64)
    assert.equal(await captures(), 0)
  })

  it('stops and starts one machine while the other runs on', async () => {
    const other = await pidOf('two')
    assert.equal((await sandbox.json('stop', 'sandbox', 'one', '--grace', '0')).exitCode, 0)
    assert.equal(await pidOf('one'), 0)
    assert.equal((await sandbox.json('start', 'sandbox', 'one')).exitCode, 0)
    assert.ok(((await pidOf('one')) ?? 0) > 0)
    assert.equal(await pidOf('two'), other)
    const again = await sandbox.json('start', 'sandbox', 'one')
    assert.equal(again.data.changed, false)
  })

  it('gets its switch back, ports and all, when even the supervisor was killed', async () => {
    const other = await pidOf('two')
    const { switch: running } = await status()
    sendSignal(running?.supervisor_pid, 'SIGKILL')
    sendSignal(running?.pid, 'SIGKILL')
    assert.equal((await status()).switch, null)
    const applied = await sandbox.json('apply', sandbox.spec)
    assert.equal(applied.exitCode, 0, JSON.stringify(applied.data))
    assert.equal((await status()).ports.length, 3)
    assert.equal(await pidOf('two'), other)
    assert.equal((await sandbox.json('apply', sandbox.spec)).data.changed, false)
  })

  it('starts a machine whose switch is away by starting the switch first', async () => {
    await sandbox.json('stop', 'sandbox', '--grace', '0')
    await sandbox.json('switch', 'stop')
    const started = await sandbox.json('start', 'sandbox', 'two')
    assert.equal(started.exitCode, 0, JSON.stringify(started.data))
    assert.ok((started.data.steps as string[]).includes('start-switch'))
    assert.ok(((await pidOf('two')) ?? 0) > 0)
  })

  it('is destroyed and leaves nothing behind, also when the switch is slow to answer', async () => {
    const { switch: running } = await status()
    sendSignal(running?.pid, 'SIGSTOP')
    setTimeout(() => sendSignal(running?.pid, 'SIGCONT'), 2_500)
    const { exitCode, data } = await sandbox.json('destroy', 'sandbox', '--grace', '0')
    assert.equal(exitCode, 0, JSON.stringify(data))
    assert.deepEqual(lookAtHost(), untouched)
    assert.equal(existsSync(`${sandbox.run}/switch.sock`), false)
    const again = await sandbox.json('destroy', 'sandbox')
    assert.equal((again.data.error as { code: string }).code, 'not-found')
  })
})
