import assert from 'node:assert/strict'
import { makeGuest } from '../../src/demo/guest/guest.js'
import type { BootImages } from './boot-images.js'
import { lookAtHost, requireRoot } from './host-state.js'
import { makeSandbox, type Sandbox } from './sandbox.js'
import { describeUsefulMachines, writeUsefulSpec } from './useful-machines.js'

describe('machines with disks, a seed, firmware and a console', function () {
  this.timeout(240_000)
  let untouched: ReturnType<typeof lookAtHost>
  let sandbox: Sandbox
  let guest: { kernel: string; initrd: string }
  let made: { spec: string; images: BootImages }

  before(async function () {
    requireRoot(this)
    untouched = lookAtHost()
    sandbox = await makeSandbox('off')
    guest = await makeGuest(process.cwd(), () => undefined, new AbortController().signal)
    made = writeUsefulSpec(sandbox, guest, 'qemu')
  })
  after(async () => {
    await sandbox?.json('destroy', 'useful', '--disks', '--grace', '0').catch(() => undefined)
    sandbox?.remove()
    assert.deepEqual(lookAtHost(), untouched)
  })

  const rewrite = (packages: string[]) =>
    writeUsefulSpec(sandbox, guest, 'qemu', { images: made.images, packages }).spec
  // The kernel's first words may stand on the line of the shell that started it.
  describeUsefulMachines(() => ({ ...made, sandbox, rewrite }), '@ready')
})
