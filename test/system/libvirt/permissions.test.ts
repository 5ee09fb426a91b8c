import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Finding } from '../../../src/core/doctor/finding.js'
import type { GuestSession } from '../../../src/demo/guest/guest-session.js'
import { lookAtHost } from '../host-state.js'
import { addPlainUser } from '../plain-user.js'
import { sendSignal } from '../send-signal.js'
import { type DomainSandbox, makeDomainSandbox } from './domain-sandbox.js'
import { requireLibvirt, until } from './libvirtd.js'

/** A user of this test alone; libvirt's stock configuration runs QEMU as another. */
const user = `vktest-${process.pid}`

interface Status {
  switch: { pid: number; supervisor_pid: number } | null
  deployments: { machines: { name: string; pid: number }[] }[]
  ports: { name: string; state: string; last_error: string | null }[]
}

describe('the switch and QEMU as two users without rights', function () {
  this.timeout(150_000)
  let sandbox: DomainSandbox
  let untouched: ReturnType<typeof lookAtHost>
  const sessions: GuestSession[] = []
  let ids = { uid: 0, gid: 0 }

  before(async function () {
    requireLibvirt(this)
    untouched = lookAtHost()
    ids = addPlainUser(user)
    sandbox = await makeDomainSandbox({ hooks: true })
  })
  after(async () => {
    for (const session of sessions) session.close()
    await sandbox?.end()
    execFileSync('userdel', [user])
    assert.deepEqual(lookAtHost(), untouched)
  })

  const status = async () => (await sandbox.json('status')).data as unknown as Status
  const folderOf = (name: string) => join(sandbox.run, 'machines', `sandbox.${name}`)
  const rightsOf = (path: string) => {
    const { uid, gid, mode } = statSync(path)
    return { uid, gid, mode: (mode & 0o7777).toString(8) }
  }
  const idsOf = (pid: number) => {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8')
    const read = (key: string) => new RegExp(`^${key}:\\s+(.*)$`, 'm').exec(text)?.[1]
    return { uids: read('Uid')?.split('\t').map(Number), caps: read('CapEff') }
  }
  const closed = async () => {
    const { data } = await sandbox.json('doctor', 'sandbox.one', '--connect', sandbox.libvirtd.uri)
    const findings = data.findings as Finding[]
    return findings.filter(({ subject, level }) => subject.startsWith('domain ') && level === 'problem')
  }
  const pingFrom = async (session: GuestSession | undefined, to: string) => {
    const { received } = (await session?.ping(to, 5, 0.2)) ?? { received: 0 }
    assert.equal(received, 5)
  }

  it('are refused where this host has no such user', async () => {
    const text = readFileSync(sandbox.spec, 'utf8')
    const spec = sandbox.writeSpec(`${text}switch: { user: nobody-of-vhostkit }\n`)
    const { exitCode, data } = await sandbox.json('apply', spec)
    assert.equal(exitCode, 1)
    assert.match(JSON.stringify(data.error), /no such user/)
    sandbox.writeSpec(`${text}switch: { user: ${user} }\n`)
  })

  it('are applied: no process of either has rights of root, and the guests reach each other and the host', async () => {
    const { exitCode, data } = await sandbox.json('apply', sandbox.spec)
    assert.equal(exitCode, 0, JSON.stringify(data))
    const { switch: running, deployments } = await status()
    const qemus = deployments[0]?.machines.map(({ pid }) => pid) ?? []
    assert.equal(qemus.length, 2)
    for (const pid of [running?.pid, running?.supervisor_pid]) {
      assert.deepEqual(idsOf(pid ?? 0), { uids: Array(4).fill(ids.uid), caps: '0000000000000000' })
    }
    for (const pid of qemus) {
      const { uids, caps } = idsOf(pid)
      assert.equal(caps, '0000000000000000')
      assert.ok(
        uids?.every((uid) => uid !== 0 && uid !== ids.uid),
        `${uids}`,
      )
    }
    for (const name of ['one', 'two']) sessions.push(await sandbox.boot(name))
    await pingFrom(sessions[0], sandbox.addresses.two ?? '')
    await pingFrom(sessions[1], '192.168.78.1')
  })

  it('have folders that hand their group to the sockets, and no right more', async () => {
    const qemu = statSync(folderOf('one')).uid
    assert.deepEqual(rightsOf(folderOf('one')), { uid: qemu, gid: ids.gid, mode: '2750' })
    assert.deepEqual(rightsOf(join(folderOf('one'), 'net0.sock')), { uid: qemu, gid: ids.gid, mode: '775' })
    assert.deepEqual(rightsOf(sandbox.run), { uid: 0, gid: ids.gid, mode: '1771' })
    assert.equal(rightsOf(join(sandbox.run, 'machines')).uid, 0)
    assert.deepEqual(rightsOf(join(sandbox.run, 'switch.sock')), { ...ids, mode: '660' })
    const asSwitch = (...args: string[]) => ['-u', user, '--', ...args]
    for (const path of [join(sandbox.run, 'machines'), join(folderOf('one'), 'net0.sock')]) {
      assert.throws(() => execFileSync('runuser', asSwitch('rm', '-rf', path), { stdio: 'pipe' }), path)
    }
    assert.deepEqual(await closed(), [])
  })

  it('get over a killed switch', async () => {
    const pid = (await status()).switch?.pid
    sendSignal(pid, 'SIGKILL')
    await until('both ports to be up again', 15_000, async () => {
      const { switch: running, ports } = await status()
      const guests = ports.filter(({ name }) => !name.endsWith('.host'))
      return running?.pid !== pid && guests.every(({ state }) => state === 'up')
    })
    await pingFrom(sessions[0], sandbox.addresses.two ?? '')
  })

  it('are told apart by doctor: who cannot reach what, before and after the switch tries', async () => {
    const folder = folderOf('one')
    const qemu = statSync(folder).uid
    chownSync(folder, qemu, 0)
    chmodSync(folder, 0o700)
    const [found, ...more] = await closed()
    assert.deepEqual([found?.code, more], ['socket-closed-to-switch', []])
    assert.match(found?.what ?? '', new RegExp(`runs as ${user}, cannot pass ${folder}`))
    sendSignal((await status()).switch?.pid, 'SIGKILL')
    await until('the switch to be refused', 15_000, async () =>
      (await status()).ports.some(({ last_error }) => /permission/i.test(last_error ?? '')),
    )
    const args = ['doctor', 'sandbox.one', '--connect', sandbox.libvirtd.uri, '--fix', '--yes']
    const { data } = await sandbox.json(...args)
    assert.match(JSON.stringify(data.repaired), /"mended"/)
    assert.deepEqual(rightsOf(folder), { uid: qemu, gid: ids.gid, mode: '2750' })
    await until('the port to be up again', 15_000, async () =>
      (await status()).ports.every(({ state }) => state === 'up'),
    )
    await pingFrom(sessions[0], sandbox.addresses.two ?? '')
    chownSync(folder, 0, ids.gid)
    assert.deepEqual(
      (await closed()).map(({ code }) => code),
      ['socket-unreachable'],
    )
    chownSync(folder, qemu, ids.gid)
  })

  it('are those of a domain that the hook makes ready, too', async () => {
    sessions[1]?.close()
    assert.equal((await sandbox.json('stop', 'sandbox', 'two', '--grace', '0')).exitCode, 0)
    const { virsh } = sandbox.libvirtd
    const name = 'sandbox.two'
    const own = await sandbox.json('interface', 'attach', name, 'side', '--connect', sandbox.libvirtd.uri)
    assert.equal(own.exitCode, 0, JSON.stringify(own.data))
    const started = virsh('start', name)
    assert.equal(started.status, 0, started.stderr)
    await until('its new port to be connected', 30_000, async () =>
      (await status()).ports.some(({ name: port, state }) => port === own.data.port && state !== 'waiting'),
    )
    assert.equal(virsh('destroy', name).status, 0)
  })

  it('are destroyed and leave nothing behind', async () => {
    for (const session of sessions) session.close()
    const { exitCode, data } = await sandbox.json('destroy', 'sandbox', '--grace', '0')
    assert.equal(exitCode, 0, JSON.stringify(data))
    assert.deepEqual(await closedFolders(), [])
  })
  const closedFolders = async () => (await status()).ports.map(({ name }) => name)
})
