import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseImage, readImages } from '../../src/host/images.js'

/** A header as docs/interop/qcow2.txt of QEMU has it, with a name of what it lies over. */
function qcow2({ version = 3, size = 2n ** 20n, backing = '', crypt = 0, incompatible = 0n } = {}): Buffer {
  const head = Buffer.alloc(4096)
  head.write('QFI\xfb', 'latin1')
  head.writeUInt32BE(version, 4)
  if (backing !== '') {
    head.writeBigUInt64BE(1024n, 8)
    head.writeUInt32BE(Buffer.byteLength(backing), 16)
    head.write(backing, 1024)
  }
  head.writeBigUInt64BE(size, 24)
  head.writeUInt32BE(crypt, 32)
  head.writeBigUInt64BE(incompatible, 72)
  return head
}

describe('images', () => {
  it('are qcow2 by their header, whatever their name', () => {
    assert.deepEqual(parseImage(qcow2(), 4096), {
      format: 'qcow2',
      bytes: 2 ** 20,
      backing: null,
      fault: null,
    })
    assert.equal(
      parseImage(qcow2({ version: 2, incompatible: 4n }), 4096).fault,
      null,
      'version 2 has no such bits',
    )
    assert.equal(parseImage(qcow2({ backing: '/etc/shadow' }), 4096).backing, '/etc/shadow')
    // What a qcow2 of any kind names is read also when it is spelt as JSON.
    assert.equal(
      parseImage(qcow2({ backing: 'json:{"driver":"nbd"}' }), 4096).backing,
      'json:{"driver":"nbd"}',
    )
  })

  it('are refused with the reason when more than their file is needed', () => {
    const faultOf = (head: Uint8Array) => parseImage(head, head.length).fault ?? ''
    assert.match(faultOf(qcow2({ crypt: 1 })), /encrypted/)
    assert.match(faultOf(qcow2({ incompatible: 2n })), /corrupt/)
    assert.match(faultOf(qcow2({ incompatible: 4n })), /another file/)
    assert.match(faultOf(qcow2({ version: 4 })), /version 4/)
    assert.match(faultOf(qcow2({ size: 2n ** 60n })), /beyond all reason/)
    assert.match(faultOf(qcow2().subarray(0, 71)), /cut off/)
    assert.match(faultOf(qcow2().subarray(0, 5)), /cut off/)
    for (const [offset, length] of [
      [4090n, 100],
      [2n ** 63n, 8],
      [1024n, 1024],
      [1024n, 0],
    ] as const) {
      const head = qcow2()
      head.writeBigUInt64BE(offset, 8)
      head.writeUInt32BE(length, 16)
      assert.match(faultOf(head), /beyond its header/, `${offset} ${length}`)
    }
    assert.match(parseImage(new Uint8Array(0), 0).fault ?? '', /empty/)
    for (const [text, format] of [
      ['KDMV', 'vmdk'],
      ['# Disk DescriptorFile\n', 'vmdk'],
      ['vhdxfile', 'vhdx'],
      ['conectix', 'vpc'],
      ['QED\0', 'qed'],
      ['LUKS\xba\xbe', 'luks'],
      ['\x1f\x8b\x08', 'gzip'],
      ['\xfd7zXZ\0', 'xz'],
    ] as const) {
      const head = Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc(512)])
      assert.match(faultOf(head), new RegExp(`of the format ${format}$`))
    }
    assert.equal(faultOf(Buffer.from('anything else')), '')
  })

  it('are read from the host: files only, each by what it is', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vkt-images-'))
    try {
      const path = (name: string) => join(folder, name)
      writeFileSync(path('one'), qcow2())
      linkSync(path('one'), path('same'))
      writeFileSync(path('raw'), Buffer.alloc(1000))
      mkdirSync(path('folder'))
      execFileSync('mkfifo', [path('pipe')])
      const names = ['one', 'same', 'raw', 'folder', 'pipe', 'absent', 'raw/below']
      const facts = await readImages([...names, 'one'].map(path))
      assert.deepEqual(
        facts.map(({ path: of, format, bytes, fault }) => [
          of.slice(folder.length + 1),
          format,
          bytes,
          fault,
        ]),
        [
          ['one', 'qcow2', 2 ** 20, null],
          ['same', 'qcow2', 2 ** 20, null],
          ['raw', 'raw', 1000, null],
          ['folder', 'raw', 0, 'it is no file'],
          ['pipe', 'raw', 0, 'it is no file'],
        ],
      )
      assert.equal(facts[0]?.identity, facts[1]?.identity)
      assert.notEqual(facts[0]?.identity, facts[2]?.identity)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
