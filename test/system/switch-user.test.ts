import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from '../../src/world/wait-for.js'
import { lookAtHost, requireRoot } from './host-state.js'
import { startCli } from './run-cli.js'
import { makeSandbox, type Sandbox } from './sandbox.js'
import { sendSignal } from './send-signal.js'

/** A user of this test alone. */
const user = `vktest-${process.pid}`

interface Status {
  switch: { pid: number; supervisor_pid: number } | null
  switch_differs: { expected: string; found: string } | null
  deployments: { machines: { pid: number }[] }[]
  ports: { name: string; state: string }[]
}

/** With the driver libvirt: libvirt/permissions.test.ts. */
describe('a switch that is another user than our own QEMUs', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  let untouched: ReturnType<typeof lookAtHost>
  const ids = { uid: 0, gid: 0 }

  before(async function () {
    requireRoot(this)
    untouched = lookAtHost()
    const words = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin']
    execFileSync('useradd', [...words, user])
    ids.uid = Number(execFileSync('id', ['-u', user], { encoding: 'utf8' }))
    ids.gid = Number(execFileSync('id', ['-g', user], { encoding: 'utf8' }))
    sandbox = await makeSandbox('off')
    chmodSync(sandbox.base, 0o755)
    sandbox.writeSpec(`${readFileSync(sandbox.spec, 'utf8')}switch: { user: ${user} }\n`)
  })
  after(async () => {
    await sandbox?.json('destroy', 'sandbox', '--grace', '0').catch(() => undefined)
    sandbox?.remove()
    execFileSync('userdel', [user])
    assert.deepEqual(lookAtHost(), untouched)
  })

  const status = async () => (await sandbox.json('status')).data as unknown as Status
  const rightsOf = (path: string) => {
    const { uid, gid, mode } = statSync(path)
    return { uid, gid, mode: (mode & 0o7777).toString(8) }
  }
  const isUp = async () => (await status()).ports.every(({ state }) => state === 'up')
  const answers = (limitMs: number) =>
    waitFor({ what: 'the machine to answer a ping', limitMs }, async () => {
      const words = ['-n', '-q', '-c', '1', '-W', '1', '192.168.78.11']
      return (await startCli(words, {}, ['ping']).result).exitCode === 0
    })

  it('is applied, has no right of root, and carries the frames', async () => {
    const { exitCode, data } = await sandbox.json('apply', sandbox.spec)
    assert.equal(exitCode, 0, JSON.stringify(data))
    const { switch: running } = await status()
    for (const pid of [running?.pid, running?.supervisor_pid]) {
      const text = readFileSync(`/proc/${pid}/status`, 'utf8')
      assert.match(text, new RegExp(`^Uid:(\\t${ids.uid}){4}$`, 'm'))
      assert.match(text, /^CapEff:\t0{16}$/m)
    }
    await answers(40_000)
  })

  it('reaches sockets by their group, and can take none of them away', () => {
    const folder = join(sandbox.run, 'machines', 'sandbox.one')
    const socket = join(folder, 'net0.sock')
    assert.deepEqual(rightsOf(folder), { uid: 0, gid: ids.gid, mode: '2750' })
    assert.deepEqual(rightsOf(socket), { uid: 0, gid: ids.gid, mode: '775' })
    assert.deepEqual(rightsOf(sandbox.run), { uid: 0, gid: ids.gid, mode: '1771' })
    const asSwitch = (...words: string[]) =>
      execFileSync('runuser', ['-u', user, '--', ...words], { stdio: 'pipe' })
    asSwitch('test', '-w', socket)
    for (const path of [folder, socket]) assert.throws(() => asSwitch('rm', '-rf', path), path)
  })

  it('comes back after a kill, and its ports with it', async () => {
    const pid = (await status()).switch?.pid
    sendSignal(pid, 'SIGKILL')
    await waitFor(
      { what: 'all ports to be up again', limitMs: 15_000 },
      async () => (await status()).switch?.pid !== pid && (await isUp()),
    )
    await answers(10_000)
  })

  it('becomes who the last spec says at its next start, and is said until then to be another', async () => {
    const text = readFileSync(sandbox.spec, 'utf8')
    const roots = text.replace(/^switch:.*\n/m, '')
    const machine = async () => (await status()).deployments[0]?.machines[0]?.pid
    let before = await machine()
    for (const [spec, uid, expected, found] of [
      [roots, 0, 'no --user', `--user ${user}`],
      [text, ids.uid, `--user ${user}`, 'no --user'],
    ] as const) {
      const { exitCode, data } = await sandbox.json('apply', sandbox.writeSpec(spec))
      assert.deepEqual([exitCode, data.steps], [0, []], JSON.stringify(data))
      const [told] = data.notices as { code: string; expected: string; found: string; hint: string }[]
      assert.deepEqual([told?.code, told?.expected, told?.found], ['switch-changed', expected, found])
      assert.match(told?.hint ?? '', /vhostkit switch restart/)
      assert.deepEqual((await status()).switch_differs, { expected, found })
      const doctor = async () => JSON.stringify((await sandbox.json('doctor')).data.findings)
      assert.match(await doctor(), /"switch-otherwise"/)
      assert.equal((await sandbox.json('switch', 'restart')).exitCode, 0)
      const { switch: running, switch_differs: differs } = await status()
      assert.equal(statSync(`/proc/${running?.pid}`).uid, uid)
      assert.equal(differs, null)
      assert.doesNotMatch(await doctor(), /"switch-otherwise"/)
      assert.equal(rightsOf(sandbox.run).mode, uid === 0 ? '751' : '1771')
      assert.equal(rightsOf(join(sandbox.run, 'switch.log')).uid, uid)
      // Its machine runs on, and is reached through the socket that was opened to another user.
      await waitFor({ what: 'all ports to be up again', limitMs: 15_000 }, isUp)
      await answers(40_000)
      assert.equal(await machine(), before)
      // First started beside a switch of root, it has sockets for nobody else.
      if (uid !== 0) continue
      assert.equal((await sandbox.json('stop', 'sandbox', '--grace', '0')).exitCode, 0)
      rmSync(join(sandbox.run, 'machines'), { recursive: true })
      assert.equal((await sandbox.json('start', 'sandbox')).exitCode, 0)
      // QEMU forgets what a driver chooses while the switch is away (docs/service.md).
      await answers(40_000)
      assert.equal(rightsOf(join(sandbox.run, 'machines/sandbox.one')).mode, '700')
      before = await machine()
    }
  })

  it('is destroyed and leaves nothing behind', async () => {
    const { exitCode, data } = await sandbox.json('destroy', 'sandbox', '--grace', '0')
    assert.equal(exitCode, 0, JSON.stringify(data))
    assert.deepEqual((await status()).ports, [])
  })
})
