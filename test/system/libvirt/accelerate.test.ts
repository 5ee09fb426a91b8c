import assert from 'node:assert/strict'
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { guestCmdline } from '../../../src/demo/guest/cmdline.js'
import type { GuestSession } from '../../../src/demo/guest/guest-session.js'
import { assertShape } from '../../docs/json-shapes.js'
import { lookAtHost } from '../host-state.js'
import { errorOf } from '../sandbox.js'
import { type DomainSandbox, makeDomainSandbox } from './domain-sandbox.js'
import { requireLibvirt, until } from './libvirtd.js'

const address = '192.168.78.13'

describe('a domain of somebody, accelerated and restored', function () {
  this.timeout(150_000)
  let sandbox: DomainSandbox
  let untouched: ReturnType<typeof lookAtHost>
  let original = ''
  let one: GuestSession | undefined

  before(async function () {
    requireLibvirt(this)
    untouched = lookAtHost()
    sandbox = await makeDomainSandbox({ hooks: true })
    const path = join(sandbox.base, 'third.xml')
    writeFileSync(path, third())
    const { status, stderr } = sandbox.libvirtd.virsh('define', path)
    assert.equal(status, 0, stderr)
    original = dump()
  })
  after(async () => {
    one?.close()
    await sandbox?.json('switch', 'stop').catch(() => undefined)
    await sandbox?.end()
    assert.deepEqual(lookAtHost(), untouched)
  })

  const dump = () => sandbox.libvirtd.virsh('dumpxml', '--inactive', '--security-info', 'third').stdout
  const run = (...args: string[]) => sandbox.json(...args, '--connect', sandbox.libvirtd.uri)

  /** As virt-install would make one: a card on a libvirt network, nothing shared. */
  function third(): string {
    const folder = join(sandbox.base, 'third')
    mkdirSync(folder)
    const user = /^libvirt-qemu:[^:]*:(\d+):(\d+)/m.exec(readFileSync('/etc/passwd', 'utf8'))
    chownSync(folder, Number(user?.[1] ?? 0), Number(user?.[2] ?? 0))
    const { kernel, initrd } = sandbox.guest
    return `<domain type='qemu'>
  <name>third</name>
  <memory unit='MiB'>128</memory>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>${kernel}</kernel><initrd>${initrd}</initrd>
    <cmdline>${guestCmdline} vhostkit.ip=${address}/24</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='maximum'/>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <interface type='network'>
      <mac address='52:54:00:aa:bb:cc'/>
      <source network='office'/>
      <target dev='tap-third'/>
      <model type='virtio'/>
      <boot order='1'/>
      <rom enabled='no'/>
    </interface>
    <serial type='unix'>
      <source mode='bind' path='${folder}/console.sock'/>
      <log file='${folder}/console.log'/>
    </serial>
    <memballoon model='none'/>
  </devices>
</domain>
`
  }

  it('is shown first, and not touched', async () => {
    const { exitCode, data } = await run('accelerate', 'third', '--network', 'lan', '--dry-run')
    assert.equal(exitCode, 0, JSON.stringify(data))
    assertShape('accelerate', data)
    assert.match(String(data.difference), /^\+ .*mode='server'/m)
    assert.equal(dump(), original)
  })

  it('becomes a vhost-user one; MAC, PCI address and boot order stay', async () => {
    const { exitCode, data } = await run('accelerate', 'third', '--network', 'lan')
    assert.equal(exitCode, 0, JSON.stringify(data))
    const now = dump()
    const address = /<address type='pci'[^>]*\/>\s*<\/interface>/.exec(original)?.[0] ?? 'none'
    for (const part of ["<mac address='52:54:00:aa:bb:cc'/>", "<boot order='1'/>", address])
      assert.ok(now.includes(part), part)
    assert.match(now, /<interface type='vhostuser'>/)
    assert.match(now, /<access mode='shared'\/>/)
    const again = await run('accelerate', 'third')
    assert.deepEqual([again.exitCode, errorOf(again.data).code], [4, 'domain-refused'])
    assert.match(errorOf(again.data).sentence, /vhost-user one already/)
  })

  it('starts by virsh alone and reaches the machines of a deployment', async () => {
    const text = readFileSync(sandbox.spec, 'utf8')
    const alone = sandbox.writeSpec(text.replace(/^ {2}- \{ name: two.*$/m, ''))
    const applied = await sandbox.json('apply', alone)
    assert.equal(applied.exitCode, 0, JSON.stringify(applied.data))
    one = await sandbox.boot('one')
    const { status, stderr } = sandbox.libvirtd.virsh('start', 'third')
    assert.equal(status, 0, stderr)
    const log = join(sandbox.base, 'third/console.log')
    await until('the guest of third', 60_000, () => /^@ready/m.test(readFileSync(log, 'latin1')))
    const { received } = await one.ping(address, 5, 0.2)
    assert.equal(received, 5)
    const running = await run('restore', 'third')
    assert.match(errorOf(running.data).sentence, /is running: stop it first/)
  })

  it('is restored byte for byte', async () => {
    const { virsh } = sandbox.libvirtd
    const save = virsh('managedsave', 'third')
    assert.equal(save.status, 0, save.stderr)
    assert.match(errorOf((await run('restore', 'third')).data).sentence, /Its memory is saved/)
    assert.match(errorOf((await run('accelerate', 'third')).data).sentence, /Its memory is saved/)
    assert.equal(virsh('managedsave-remove', 'third').status, 0)
    const { exitCode, data } = await run('restore', 'third')
    assert.equal(exitCode, 0, JSON.stringify(data))
    assertShape('restore', data)
    assert.equal(dump(), original)
    assert.equal(errorOf((await run('restore', 'third')).data).code, 'not-found')
  })

  it('is not found by a name that means something to a shell or to virsh', async () => {
    for (const name of ['--all', '-h', '$(id)', 'a;b', '../third', 'third ']) {
      const options = ['--json', '--dry-run', '--connect', sandbox.libvirtd.uri]
      const { exitCode, stdout } = await sandbox.start('accelerate', ...options, '--', name).result
      const { code } = errorOf(JSON.parse(stdout) as Record<string, unknown>)
      assert.deepEqual([name, exitCode, code], [name, 1, 'not-found'])
    }
  })
})
