import assert from 'node:assert/strict'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GuestSession } from '../../../src/demo/guest/guest-session.js'
import { assertShape } from '../../docs/json-shapes.js'
import { lookAtHost } from '../host-state.js'
import { errorOf } from '../sandbox.js'
import { sendSignal } from '../send-signal.js'
import { type DomainSandbox, makeDomainSandbox } from './domain-sandbox.js'
import { requireLibvirt, until } from './libvirtd.js'

const side = { one: '192.168.79.11', two: '192.168.79.12' }

describe('cards of domains that run, plugged in and out', function () {
  this.timeout(150_000)
  let sandbox: DomainSandbox
  let untouched: ReturnType<typeof lookAtHost>
  const guests: Record<string, GuestSession> = {}

  before(async function () {
    requireLibvirt(this)
    untouched = lookAtHost()
    sandbox = await makeDomainSandbox()
    const applied = await sandbox.json('apply', sandbox.spec)
    assert.equal(applied.exitCode, 0, JSON.stringify(applied.data))
    for (const name of ['one', 'two']) guests[name] = await sandbox.boot(name)
  })
  after(async () => {
    for (const guest of Object.values(guests)) guest.close()
    await sandbox?.json('destroy', 'sandbox', '--grace', '0').catch(() => undefined)
    await sandbox?.json('switch', 'stop').catch(() => undefined)
    await sandbox?.end()
    assert.deepEqual(lookAtHost(), untouched)
  })

  const run = (verb: string, domain: string, ...more: string[]) =>
    sandbox.json('interface', verb, domain, 'side', ...more, '--connect', sandbox.libvirtd.uri)
  const dump = (name: string, ...more: string[]) => sandbox.libvirtd.virsh('dumpxml', ...more, name).stdout
  const portsOf = async () =>
    ((await sandbox.json('status')).data.ports as { name: string; network: string; state: string }[]).filter(
      ({ network }) => network === 'side',
    )
  const pingSide = async () => {
    const result = await guests.one?.ping(side.two, 5, 0.2)
    assert.deepEqual([result?.sent, result?.received], [5, 5])
  }

  it('are refused while no hook would look after them', async () => {
    const { exitCode, data } = await run('attach', 'sandbox.one')
    assert.deepEqual([exitCode, errorOf(data).code], [4, 'domain-refused'])
    assert.match(errorOf(data).sentence, /vhostkit hooks install/)
    await sandbox.json('hooks', 'install', '--hooks-dir', sandbox.libvirtd.hooks)
    await sandbox.libvirtd.restart()
  })

  it('are shown first, and nothing is touched', async () => {
    const before = [dump('sandbox.one'), dump('sandbox.one', '--inactive')]
    const { exitCode, data } = await run('attach', 'sandbox.one', '--dry-run')
    assert.equal(exitCode, 0, JSON.stringify(data))
    const steps = (data.steps as string[]).map((step) => step.split(' ')[0])
    assert.deepEqual([data.changed, steps], [false, ['add-port', 'set-metadata', 'attach-interface']])
    assert.deepEqual([dump('sandbox.one'), dump('sandbox.one', '--inactive')], before)
    assert.deepEqual(await portsOf(), [])
  })

  it('leave nothing when QEMU cannot have them', async () => {
    // libvirt writes metadata that was set again with other blanks.
    const look = async () => [
      dump('sandbox.one', '--inactive').replaceAll(/\s+/g, ''),
      JSON.stringify(await portsOf()),
    ]
    const before = await look()
    const folder = join(sandbox.run, 'machines/sandbox.one')
    // As if the folder were of somebody else: QEMU cannot make its socket.
    chmodSync(folder, 0o500)
    const { exitCode, data } = await run('attach', 'sandbox.one')
    chmodSync(folder, 0o770)
    assert.deepEqual([exitCode, errorOf(data).code], [1, 'domain-failed'], JSON.stringify(data))
    assert.match(errorOf(data).sentence, /Permission denied.*What was done before is undone/)
    const after = await look()
    assert.ok(after[0] === before[0], 'the definition is as it was')
    assert.equal(after[1], before[1])
  })

  it('carry frames between two guests that run', async () => {
    for (const name of ['one', 'two'] as const) {
      const { exitCode, data, ms } = await run('attach', `sandbox.${name}`)
      assert.equal(exitCode, 0, JSON.stringify(data))
      assertShape('interface attach', data)
      process.stderr.write(`      attached within ${Math.round(ms)} ms\n`)
      assert.deepEqual([data.live, data.config, data.port], [true, true, `libvirt.sandbox.${name}.net1`])
      for (const more of [[], ['--inactive']])
        assert.match(dump(`sandbox.${name}`, ...more), new RegExp(`mac address='${data.mac}'`))
      await guests[name]?.addAddress(`${side[name]}/24`, 'eth1')
    }
    await pingSide()
    assert.deepEqual(
      (await portsOf()).map(({ state }) => state),
      ['up', 'up'],
    )
    // The deployment is as it was: what was plugged in is more, not other.
    assert.deepEqual((await sandbox.json('apply', sandbox.spec)).data.changed, false)
  })

  it('come back with a switch that was killed', async () => {
    const { switch: running } = (await sandbox.json('status')).data as unknown as { switch: { pid: number } }
    sendSignal(running.pid, 'SIGKILL')
    await until('both ports to be up again', 15_000, async () =>
      (await portsOf().catch(() => [])).every(({ state }) => state === 'up'),
    )
    await pingSide()
  })

  it('are refused with the reason', async () => {
    const path = join(sandbox.base, 'private.xml')
    writeFileSync(
      path,
      `<domain type='qemu'><name>private</name><memory unit='MiB'>64</memory><os><type arch='x86_64' machine='q35'>hvm</type>
       <cmdline>pci=nomsi</cmdline><kernel>${sandbox.guest.kernel}</kernel></os></domain>`,
    )
    assert.equal(sandbox.libvirtd.virsh('define', path).status, 0)
    const { exitCode, data } = await run('attach', 'private')
    assert.deepEqual([exitCode, errorOf(data).code], [4, 'domain-refused'])
    assert.match(errorOf(data).sentence, /memory is not shared .*`vhostkit accelerate private`/)
    assert.equal(sandbox.libvirtd.virsh('undefine', 'private').status, 0)
    const mac = /mac address='([^']+)'/.exec(dump('sandbox.one'))?.[1] ?? ''
    assert.match(errorOf((await run('attach', 'sandbox.one')).data).sentence, /No PCI port is free/)
    const twice = await run('attach', 'sandbox.one', '--mac', mac)
    assert.match(errorOf(twice.data).sentence, /It has a card .* already/)
    assert.equal(errorOf((await run('attach', 'nobody')).data).code, 'not-found')
    assert.equal(errorOf((await run('detach', 'sandbox.one', '--mac', mac)).data).code, 'not-found')
    assert.equal((await run('attach', 'sandbox.one', '--queues', '0')).exitCode, 2)
  })

  it('are taken out: of the guest, then of the switch, with their socket', async () => {
    const { exitCode, data, ms } = await run('detach', 'sandbox.two')
    assert.equal(exitCode, 0, JSON.stringify(data))
    process.stderr.write(`      detached within ${Math.round(ms)} ms\n`)
    assert.ok(!(await guests.two?.cards())?.includes('eth1'))
    for (const more of [[], ['--inactive']])
      assert.doesNotMatch(dump('sandbox.two', ...more), new RegExp(`${data.mac}`))
    assert.deepEqual(
      (await portsOf()).map(({ name }) => name),
      ['libvirt.sandbox.one.net1'],
    )
    assert.ok(!existsSync(join(sandbox.run, 'machines/sandbox.two/net1.sock')))
    const result = await guests.two?.ping(sandbox.addresses.one ?? '', 3, 0.2)
    assert.equal(result?.received, 3)
  })

  it('go with the end of their domain, and are there at its next start', async () => {
    const { virsh } = sandbox.libvirtd
    guests.one?.close()
    assert.equal(virsh('destroy', 'sandbox.one').status, 0)
    await until('its port to go', 10_000, async () => (await portsOf()).length === 0)
    // While it is off only its definition changes.
    const { exitCode, data } = await run('attach', 'sandbox.one', '--mac', '52:54:00:00:00:78')
    assert.deepEqual([exitCode, data.live, data.config], [0, false, true], JSON.stringify(data))
    assert.deepEqual(await portsOf(), [])
    const { status, stderr } = virsh('start', 'sandbox.one')
    assert.equal(status, 0, stderr)
    assert.deepEqual((await portsOf()).map(({ name }) => name).sort(), [
      'libvirt.sandbox.one.net1',
      'libvirt.sandbox.one.net2',
    ])
  })
})
