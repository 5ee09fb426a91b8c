import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseManifest, writeArtifacts } from '../../src/apply/write-artifacts.js'

describe('rendered files in a folder', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vkt-render-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')

  it('are replaced by the next run, and removed when they are no longer there', async () => {
    await writeArtifacts(
      folder,
      [
        { name: 'a', text: '1' },
        { name: 'b', text: '1' },
      ],
      false,
    )
    await writeArtifacts(folder, [{ name: 'a', text: '2' }], false)
    assert.deepEqual(readdirSync(folder).sort(), ['a', 'manifest.json'])
    assert.equal(read('a'), '2')
  })

  it('never replace what others wrote or edited, unless forced', async () => {
    writeFileSync(join(folder, 'b'), 'theirs')
    const files = [
      { name: 'a', text: '1' },
      { name: 'b', text: '1' },
    ]
    await assert.rejects(writeArtifacts(folder, files, false), { code: 'file-exists', message: /: b\./ })
    assert.deepEqual(readdirSync(folder), ['b'])
    await writeArtifacts(folder, files, true)
    writeFileSync(join(folder, 'a'), 'edited')
    await assert.rejects(writeArtifacts(folder, [{ name: 'a', text: '3' }], false), { code: 'file-exists' })
    assert.equal(read('a'), 'edited')
    await writeArtifacts(folder, [{ name: 'b', text: '3' }], false)
    assert.equal(read('a'), 'edited', 'an edited file is not removed either')
  })

  it('have a folder for each seed, which others may not read, and which goes with its last file', async () => {
    const seed = [
      { name: 'seed-vm1/user-data', text: '#cloud-config' },
      { name: 'seed-vm1/meta-data', text: '{}' },
    ]
    await writeArtifacts(folder, [{ name: 'a', text: '1' }, ...seed], false)
    assert.equal(read('seed-vm1/user-data'), '#cloud-config')
    assert.equal(statSync(join(folder, 'seed-vm1/user-data')).mode & 0o777, 0o600)
    assert.equal(statSync(join(folder, 'a')).mode & 0o777, 0o644 & ~process.umask())
    writeFileSync(join(folder, 'seed-vm1/theirs'), 'x')
    await writeArtifacts(folder, [{ name: 'a', text: '1' }], false)
    assert.deepEqual(readdirSync(join(folder, 'seed-vm1')), ['theirs'])
    rmSync(join(folder, 'seed-vm1/theirs'))
    await writeArtifacts(folder, seed, false)
    await writeArtifacts(folder, [{ name: 'a', text: '1' }], false)
    assert.deepEqual(readdirSync(folder).sort(), ['a', 'manifest.json'])
  })

  it('trust no list with names of other folders', () => {
    assert.equal(parseManifest('{"files":{"../x":["0"]}}'), null)
    assert.equal(parseManifest('{"files":{"seed-a/../../x":["0"]}}'), null)
    assert.equal(parseManifest('{"files":{"other/x":["0"]}}'), null)
    assert.equal(parseManifest('{"files":{"seed-a/.x":["0"]}}'), null)
    assert.equal(parseManifest('[]'), null)
    assert.deepEqual(parseManifest('{"files":{"a":["0"]}}'), { a: ['0'] })
  })
})
