import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

  it('trust no list with names of other folders', () => {
    assert.equal(parseManifest('{"files":{"../x":["0"]}}'), null)
    assert.equal(parseManifest('[]'), null)
    assert.deepEqual(parseManifest('{"files":{"a":["0"]}}'), { a: ['0'] })
  })
})
