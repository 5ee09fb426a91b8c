import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findImages, readKeys } from '../../src/cli/find-images.js'
import { imageChoice } from '../../src/core/wizard/guest-choice.js'

describe('what the wizard finds to boot', () => {
  let base: string
  before(() => {
    base = mkdtempSync(join(tmpdir(), 'vkt-found-'))
  })
  after(() => rmSync(base, { recursive: true }))
  const put = (name: string, content: string | Buffer) => {
    const path = join(base, name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, content)
    return path
  }

  it('is every image that can be used as it is, each once, by its content', async () => {
    const header = Buffer.alloc(512)
    header.write('QFI\xfb', 'latin1')
    header.writeUInt32BE(3, 4)
    header.writeBigUInt64BE(2n ** 31n, 24)
    const here = put('here/cloud.img', header)
    const raw = put('usual/disk.raw', Buffer.alloc(1024))
    const cd = put('usual/tools.ISO', Buffer.alloc(3 * 2 ** 20 + 1))
    linkSync(raw, join(base, 'usual/same.img'))
    put('usual/old.img', 'KDMV and more')
    put('usual/empty.raw', '')
    put('usual/notes.txt', 'x')
    execFileSync('mkfifo', [join(base, 'usual/pipe.img')])
    const layered = Buffer.from(header)
    layered.writeBigUInt64BE(400n, 8)
    layered.writeUInt32BE(4, 16)
    put('home/Downloads/over.qcow2', layered)
    const found = await findImages(join(base, 'here'), join(base, 'home'), [
      join(base, 'usual'),
      join(base, 'none'),
    ])
    assert.deepEqual(
      found.map(({ path }) => path),
      [here, raw, cd],
    )
    assert.deepEqual(
      found.map(imageChoice).map(({ label, disk, about }) => [label, disk?.use, about]),
      [
        ['cloud.img, a disk image (qcow2)', 'image', `${here}, 2G`],
        ['disk.raw, a disk image (raw)', 'image', `${raw}, 1K`],
        ['tools.ISO, a CD to install from', 'cdrom', `${cd}, 4M`],
      ],
    )
  })

  it('is every public key, and nothing that only looks like one', async () => {
    const line = `ssh-ed25519 ${'A'.repeat(60)} me@here`
    put('ssh/id_ed25519.pub', `${line}\n`)
    put('ssh/id_ed25519', 'a private one')
    put('ssh/broken.pub', '-----BEGIN PRIVATE KEY-----')
    mkdirSync(join(base, 'ssh/folder.pub'))
    assert.deepEqual(await readKeys(join(base, 'ssh')), [{ file: 'id_ed25519.pub', line }])
    assert.deepEqual(await readKeys(join(base, 'none')), [])
  })
})
