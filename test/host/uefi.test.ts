import assert from 'node:assert/strict'
import { parseFirmware } from '../../src/host/uefi.js'

/** A description as Debian's ovmf brings it. */
const plain = {
  'interface-types': ['uefi'],
  mapping: {
    device: 'flash',
    executable: { filename: '/usr/share/OVMF/OVMF_CODE_4M.fd', format: 'raw' },
    'nvram-template': { filename: '/usr/share/OVMF/OVMF_VARS_4M.fd', format: 'raw' },
  },
  targets: [{ architecture: 'x86_64', machines: ['pc-i440fx-*', 'pc-q35-*'] }],
  features: ['acpi-s3', 'amd-sev', 'verbose-dynamic'],
}

describe('firmware', () => {
  it('is UEFI in flash for q35', () => {
    assert.deepEqual(parseFirmware(JSON.stringify(plain)), {
      code: '/usr/share/OVMF/OVMF_CODE_4M.fd',
      variables: '/usr/share/OVMF/OVMF_VARS_4M.fd',
    })
  })

  it('is not what needs more, serves others, or is not understood', () => {
    for (const change of [
      { 'interface-types': ['bios'] },
      { features: ['requires-smm'] },
      { features: ['secure-boot'] },
      { features: ['enrolled-keys'] },
      { targets: [{ architecture: 'aarch64', machines: ['virt-*'] }] },
      { targets: [{ architecture: 'x86_64', machines: ['microvm'] }] },
      { targets: 'all' },
      { mapping: { ...plain.mapping, device: 'memory' } },
      { mapping: { ...plain.mapping, executable: { filename: '/code.qcow2', format: 'qcow2' } } },
      { mapping: { ...plain.mapping, 'nvram-template': undefined } },
      { mapping: null },
    ]) {
      assert.equal(parseFirmware(JSON.stringify({ ...plain, ...change })), null, JSON.stringify(change))
    }
    for (const text of ['', '{', 'null', '[]', '"x"', '{"targets":[null]}'])
      assert.equal(parseFirmware(text), null)
  })
})
