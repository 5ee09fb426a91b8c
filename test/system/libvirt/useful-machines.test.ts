import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import type { BootImages } from '../boot-images.js'
import { lookAtHost } from '../host-state.js'
import { describeUsefulMachines, writeUsefulSpec } from '../useful-machines.js'
import { type DomainSandbox, makeDomainSandbox } from './domain-sandbox.js'
import { requireLibvirt } from './libvirtd.js'

describe('domains with disks, a seed, firmware and a console', function () {
  this.timeout(300_000)
  let untouched: ReturnType<typeof lookAtHost>
  let sandbox: DomainSandbox
  let made: { spec: string; images: BootImages }

  before(async function () {
    requireLibvirt(this)
    untouched = lookAtHost()
    sandbox = await makeDomainSandbox('off')
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
  describeUsefulMachines(() => ({ ...made, sandbox, rewrite }), 'UEFI Interactive Shell')
})
