import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BootImages } from '../boot-images.js'
import { lookAtHost } from '../host-state.js'
import { errorOf } from '../sandbox.js'
import { describeUsefulMachines, writeUsefulSpec } from '../useful-machines.js'
import { type DomainSandbox, makeDomainSandbox } from './domain-sandbox.js'
import { requireLibvirt } from './libvirtd.js'

/** As people define them: a screen, a card that the host's kernel serves, a raw disk. */
function theirs(image: string): string {
  return `<domain type='qemu'><name>theirs</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
    <os><type arch='x86_64' machine='q35'>hvm</type><boot dev='hd'/></os>
    <devices>
      <disk type='file' device='disk'>
        <driver name='qemu' type='raw'/><source file='${image}'/><target dev='vda' bus='virtio'/>
      </disk>
      <interface type='user'><mac address='52:54:00:dd:00:01'/><model type='virtio'/></interface>
      <graphics type='vnc' port='-1' autoport='yes'/>
      <video><model type='vga'/></video>
    </devices>
  </domain>`
}

describe('domains with disks, a seed, firmware and a console', function () {
  this.timeout(300_000)
  let untouched: ReturnType<typeof lookAtHost>
  let sandbox: DomainSandbox
  let made: { spec: string; images: BootImages }

  before(async function () {
    requireLibvirt(this)
    untouched = lookAtHost()
    sandbox = await makeDomainSandbox()
    made = writeUsefulSpec(sandbox, sandbox.guest, sandbox.libvirtd.uri)
    for (const path of Object.values(made.images)) chmodSync(path, 0o644)
  })
  after(async () => {
    await sandbox?.json('destroy', 'useful', '--disks', '--grace', '0').catch(() => undefined)
    await sandbox?.end()
    assert.deepEqual(lookAtHost(), untouched)
  })

  const rewrite = (packages: string[]) =>
    writeUsefulSpec(sandbox, sandbox.guest, sandbox.libvirtd.uri, { images: made.images, packages }).spec
  // The same firmware and disk as without libvirt, where they are booted to their end.
  describeUsefulMachines(() => ({ ...made, sandbox, rewrite }), 'UEFI Interactive Shell', describeTakeOver)

  function describeTakeOver() {
    const initFrom = async (domain: string) => {
      const path = join(sandbox.base, `of-${domain}.yaml`)
      const { uri } = sandbox.libvirtd
      const { exitCode, data } = await sandbox.json('init', '--from', domain, '--connect', uri, '--to', path)
      assert.equal(exitCode, 0, JSON.stringify(data))
      return { path, data }
    }

    it('gives back the spec of its domains, by which nothing would change', async () => {
      const { path, data } = await initFrom('useful.kernel')
      assert.deepEqual([data.left, data.foreign], [[], false])
      assert.deepEqual(data.domains, ['useful.bios', 'useful.kernel', 'useful.uefi'])
      const same = await sandbox.json('diff', path)
      assert.deepEqual([same.exitCode, same.data.steps, same.data.notices], [0, [], []], JSON.stringify(same))
      writeFileSync(path, readFileSync(path, 'utf8').replace('memory: 128M', 'memory: 130M'))
      const other = await sandbox.json('diff', path)
      assert.match(JSON.stringify(other.data.notices), /machine-changed/)
      const again = await sandbox.json(
        'init',
        '--from',
        'useful.kernel',
        '--connect',
        sandbox.libvirtd.uri,
        '--to',
        path,
      )
      assert.deepEqual([again.exitCode, errorOf(again.data).code], [1, 'file-exists'])
    })

    it("gives a spec of somebody else's domain, which this host can plan", async () => {
      const xml = join(sandbox.base, 'theirs.xml')
      writeFileSync(xml, theirs(made.images.bios))
      const { status, stderr } = sandbox.libvirtd.virsh('define', xml)
      assert.equal(status, 0, stderr)
      try {
        const { path, data } = await initFrom('theirs')
        assert.equal(data.foreign, true)
        const left = (data.left as { what: string }[]).map(({ what }) => what)
        for (const what of ['<graphics>', '<video>', 'its UUID'])
          assert.ok(left.includes(what), left.join('\n'))
        const planned = await sandbox.json('plan', path)
        assert.equal(planned.exitCode, 0, JSON.stringify(planned.data))
        const [machine] = planned.data.machines as {
          interfaces: { mac: string }[]
          storage: { disks: { path: string }[] }
        }[]
        assert.deepEqual(
          [machine?.interfaces[0]?.mac, machine?.storage.disks[0]?.path],
          ['52:54:00:dd:00:01', made.images.bios],
        )
      } finally {
        assert.equal(sandbox.libvirtd.virsh('undefine', 'theirs').status, 0)
      }
      const gone = await sandbox.json('init', '--from', 'theirs', '--connect', sandbox.libvirtd.uri)
      assert.equal(errorOf(gone.data).code, 'not-found')
    })
  }
})
