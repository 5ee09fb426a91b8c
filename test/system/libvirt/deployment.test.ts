import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Artifacts } from '../../../src/core/render/artifacts.js'
import { findLosses } from '../../../src/core/xml/find-losses.js'
import { parseXml } from '../../../src/core/xml/parse-xml.js'
import type { GuestSession } from '../../../src/demo/guest/guest-session.js'
import { lookAtHost } from '../host-state.js'
import { errorOf } from '../sandbox.js'
import { sendSignal } from '../send-signal.js'
import { type DomainSandbox, makeDomainSandbox } from './domain-sandbox.js'
import { requireLibvirt, until, validateDomain } from './libvirtd.js'

interface Status {
  switch: { pid: number } | null
  deployments: { machines: { name: string; running: boolean; pid: number; state: string }[] }[]
  ports: { name: string; state: string; connects: number }[]
}

describe('a deployment of libvirt domains', function () {
  this.timeout(150_000)
  let sandbox: DomainSandbox
  let untouched: ReturnType<typeof lookAtHost>
  const sessions: Record<string, GuestSession> = {}

  before(async function () {
    requireLibvirt(this)
    untouched = lookAtHost()
    sandbox = await makeDomainSandbox()
  })
  after(async () => {
    for (const session of Object.values(sessions)) session.close()
    await sandbox?.end()
  })

  const status = async () => (await sandbox.json('status')).data as unknown as Status
  const pidsOf = async () => (await status()).deployments[0]?.machines.map(({ pid }) => pid)
  const pingBoth = async () => {
    for (const [from, to] of [
      ['one', 'two'],
      ['two', 'one'],
    ] as const) {
      const { sent, received } = await (sessions[from] as GuestSession).ping(
        sandbox.addresses[to] ?? '',
        5,
        0.2,
      )
      assert.deepEqual({ from, sent, received }, { from, sent: 5, received: 5 })
    }
  }

  it('is rendered as libvirt and its schema take it, and nothing is lost', async () => {
    const { data } = await sandbox.json('render', sandbox.spec)
    const [machine] = (data as unknown as Artifacts).machines
    const domain = machine?.domain
    assert.ok(domain)
    const path = join(sandbox.base, 'domain.xml')
    writeFileSync(path, domain.xml)
    assert.equal(validateDomain(path), '')
    assert.equal(sandbox.libvirtd.virsh('define', '--validate', path).status, 0)
    const back = sandbox.libvirtd.virsh('dumpxml', '--inactive', domain.name).stdout
    assert.deepEqual(findLosses(parseXml(domain.xml), parseXml(back)), [])
    assert.equal(sandbox.libvirtd.virsh('undefine', domain.name).status, 0)
  })

  it('is applied, both guests boot and reach each other and the host', async () => {
    const first = await sandbox.json('apply', sandbox.spec)
    assert.equal(first.exitCode, 0, JSON.stringify(first.data))
    for (const name of ['one', 'two']) sessions[name] = await sandbox.boot(name)
    await pingBoth()
    execFileSync('ping', ['-c', '2', '-W', '5', sandbox.addresses.one ?? ''])
  })

  it('is not changed by a second apply', async () => {
    const second = await sandbox.json('apply', sandbox.spec)
    assert.deepEqual([second.exitCode, second.data.changed, second.data.steps], [0, false, []])
    assert.equal((await sandbox.json('diff', sandbox.spec)).exitCode, 0)
  })

  it('survives a killed switch', async () => {
    const before = await status()
    sendSignal(before.switch?.pid, 'SIGKILL')
    await until('both ports to be up again', 15_000, async () => {
      const { switch: running, ports } = await status()
      const guests = ports.filter(({ name }) => !name.endsWith('.host'))
      return running?.pid !== before.switch?.pid && guests.every(({ state }) => state === 'up')
    })
    await pingBoth()
  })

  it('survives a restart of libvirtd', async () => {
    const before = await pidsOf()
    const daemon = sandbox.libvirtd.pid()
    await sandbox.libvirtd.restart(async () => {
      const { deployments, ports } = await status()
      assert.deepEqual(
        deployments[0]?.machines.map(({ state }) => state),
        ['no answer', 'no answer'],
      )
      assert.equal(ports.length, 3)
      const { exitCode, data } = await sandbox.json('apply', sandbox.spec)
      assert.deepEqual([exitCode, errorOf(data).code], [1, 'libvirt-unreachable'])
    })
    assert.notEqual(sandbox.libvirtd.pid(), daemon)
    assert.deepEqual(await pidsOf(), before)
    await pingBoth()
    assert.equal((await sandbox.json('apply', sandbox.spec)).data.changed, false)
  })

  it('shows an edit of the definition, and restores it with --restart', async () => {
    const { virsh } = sandbox.libvirtd
    const xml = virsh('dumpxml', '--inactive', 'sandbox.two').stdout
    const path = join(sandbox.base, 'edited.xml')
    writeFileSync(path, xml.replace(" memAccess='shared'", ''))
    assert.equal(virsh('define', path).status, 0)
    const seen = await sandbox.json('diff', sandbox.spec)
    assert.deepEqual([seen.exitCode, seen.data.steps], [0, []])
    assert.match(JSON.stringify(seen.data.notices), /cell\/@memAccess: shared is gone/)
    sessions.two?.close()
    const applied = await sandbox.json('apply', sandbox.spec, '--restart', '--grace', '0')
    assert.equal(applied.exitCode, 0, JSON.stringify(applied.data))
    assert.match(virsh('dumpxml', '--inactive', 'sandbox.two').stdout, /memAccess='shared'/)
    sessions.two = await sandbox.boot('two')
    await pingBoth()
  })

  it('stops and starts one machine while the other runs on', async () => {
    const [one] = (await pidsOf()) ?? []
    sessions.two?.close()
    assert.equal((await sandbox.json('stop', 'sandbox', 'two', '--grace', '0')).exitCode, 0)
    assert.equal(sandbox.libvirtd.virsh('domstate', 'sandbox.two').stdout.trim(), 'shut off')
    assert.equal((await sandbox.json('start', 'sandbox', 'two')).exitCode, 0)
    sessions.two = await sandbox.boot('two')
    await pingBoth()
    assert.equal((await pidsOf())?.[0], one)
  })

  it('is destroyed and leaves nothing behind', async () => {
    for (const session of Object.values(sessions)) session.close()
    const { exitCode, data } = await sandbox.json('destroy', 'sandbox', '--grace', '0')
    assert.equal(exitCode, 0, JSON.stringify(data))
    assert.equal(sandbox.libvirtd.virsh('list', '--all', '--name').stdout.trim(), '')
    await sandbox.end()
    assert.deepEqual(lookAtHost(), untouched)
  })
})
