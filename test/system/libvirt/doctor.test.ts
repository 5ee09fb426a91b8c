import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Finding } from '../../../src/core/doctor/finding.js'
import type { Repaired } from '../../../src/doctor/carry-out.js'
import { askSwitch } from '../../../src/drivers/switch/client.js'
import { lookAtHost } from '../host-state.js'
import { type DomainSandbox, makeDomainSandbox } from './domain-sandbox.js'
import { requireLibvirt } from './libvirtd.js'

const broken = ['cell-private', 'mac-duplicate-card', 'mtu-differs', 'socket-unreachable']

describe('doctor on a broken domain', function () {
  this.timeout(150_000)
  let sandbox: DomainSandbox
  let untouched: ReturnType<typeof lookAtHost>

  before(async function () {
    requireLibvirt(this)
    untouched = lookAtHost()
    sandbox = await makeDomainSandbox({ hooks: true })
    await sandbox.json('switch', 'start')
    const folder = join(sandbox.run, 'machines/broken')
    mkdirSync(folder, { recursive: true })
    for (const path of [sandbox.run, join(sandbox.run, 'machines')]) chmodSync(path, 0o711)
    chownSync(folder, 0, 0)
    chmodSync(folder, 0o700)
    const ports = [
      ['a', `${folder}/net0.sock`, 1500],
      ['b', join(sandbox.run, 'peer.sock'), 9000],
    ] as const
    for (const [name, socket, mtu] of ports) {
      const request = {
        kind: 'vhost-user',
        name,
        network: 'lan',
        socket,
        role: 'client',
        queues: 1,
        mtu,
        mac_limit: 16,
      }
      await askSwitch(join(sandbox.run, 'switch.sock'), 'port.add', request)
    }
    const path = join(sandbox.base, 'broken.xml')
    writeFileSync(path, definition(folder))
    const { status, stderr } = sandbox.libvirtd.virsh('define', path)
    assert.equal(status, 0, stderr)
  })
  after(async () => {
    await sandbox?.json('switch', 'stop').catch(() => undefined)
    await sandbox?.end()
    assert.deepEqual(lookAtHost(), untouched)
  })

  function definition(folder: string): string {
    const card = (index: number) =>
      `<interface type='vhostuser'><mac address='52:54:00:aa:bb:01'/><source type='unix' path='${folder}/net${index}.sock' mode='server'/><model type='virtio'/></interface>`
    return `<domain type='qemu'><name>broken</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>
      <os><type arch='x86_64' machine='q35'>hvm</type></os>
      <cpu mode='maximum'><numa><cell id='0' cpus='0' memory='128' unit='MiB'/></numa></cpu>
      <devices>${card(0)}${card(1)}</devices></domain>`
  }

  async function examine(...options: string[]) {
    const { exitCode, data } = await sandbox.json(
      'doctor',
      'broken',
      '--connect',
      sandbox.libvirtd.uri,
      ...options,
    )
    const findings = (data.findings ?? []) as Finding[]
    const own = findings.filter(
      ({ subject, level }) => subject.startsWith('domain broken') && level === 'problem',
    )
    const codes = [...new Set(own.map(({ code }) => code))].sort()
    return { exitCode, codes, repaired: (data.repaired ?? []) as Repaired[], data }
  }

  const dump = () => sandbox.libvirtd.virsh('dumpxml', '--inactive', 'broken').stdout

  it('names each fault, and touches nothing', async () => {
    const before = dump()
    const { exitCode, codes, data } = await examine()
    assert.deepEqual(codes, broken, JSON.stringify(data))
    assert.equal(exitCode, 4)
    assert.deepEqual((await examine('--fix')).repaired, [], 'nobody was there to agree')
    assert.equal(dump(), before)
  })

  it('mends them all, and is clean the second time', async () => {
    const { codes, repaired, data } = await examine('--fix', '--yes')
    assert.deepEqual(codes, [], JSON.stringify(data))
    assert.deepEqual([...new Set(repaired.map(({ outcome }) => outcome))], ['mended'])
    assert.equal(statSync(join(sandbox.run, 'machines/broken')).mode & 0o777, 0o770)
    const after = dump()
    assert.match(after, /memAccess='shared'/)
    assert.match(after, /<mtu size='9000'\/>/)
    const again = await examine('--fix', '--yes')
    assert.deepEqual([again.codes, again.repaired], [[], []])
    assert.equal(dump(), after)
  })
})
