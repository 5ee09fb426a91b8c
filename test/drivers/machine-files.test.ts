import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FileArtifact } from '../../src/core/render/artifacts.js'
import { makeMachineFile, readMachineFiles, removeMachineFile } from '../../src/drivers/host/machine-files.js'

describe('files of a machine', () => {
  let state: string
  let store: string
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), 'vkt-store-'))
    store = join(state, 'disks/lab.vm1')
  })
  afterEach(() => rmSync(state, { recursive: true }))
  const variables = (text: string): FileArtifact => {
    writeFileSync(join(state, 'template'), text)
    return { kind: 'variables', path: join(store, 'uefi-variables.fd'), template: join(state, 'template') }
  }

  it('are for their owner only, in a folder of their own', async () => {
    const file = variables('v1')
    await makeMachineFile(file)
    assert.equal(readFileSync(file.path, 'utf8'), 'v1')
    assert.equal(statSync(file.path).mode & 0o777, 0o600)
    assert.equal(statSync(store).mode & 0o777, 0o700)
    assert.deepEqual(readdirSync(store), ['uefi-variables.fd'])
  })

  it('never replace one that is there, which stays as it was', async () => {
    await makeMachineFile(variables('v1'))
    const file = variables('v2')
    await assert.rejects(makeMachineFile(file), { code: 'disk-failed', message: /EEXIST/ })
    assert.equal(readFileSync(file.path, 'utf8'), 'v1')
    assert.deepEqual(readdirSync(store), ['uefi-variables.fd'])
  })

  it('are whole or not there', async () => {
    const file = variables('v1')
    rmSync(join(state, 'template'))
    await assert.rejects(makeMachineFile(file), { code: 'disk-failed' })
    assert.deepEqual(readdirSync(store), [])
  })

  it('take with them what a run that was killed left half made', async () => {
    const file = variables('v1')
    mkdirSync(store, { recursive: true })
    writeFileSync(join(store, '.making.77.tmp'), 'half')
    await makeMachineFile(file)
    assert.deepEqual(readdirSync(store), ['uefi-variables.fd'])
    writeFileSync(join(store, '.making.78.tmp'), 'half')
    await removeMachineFile(file.path)
    assert.equal(existsSync(join(state, 'disks')), false)
  })

  it('are removed only by names that we give, with their folder when it is empty', async () => {
    mkdirSync(store, { recursive: true })
    for (const name of ['disk0.qcow2', 'seed-01234567.iso', 'mine.qcow2'])
      writeFileSync(join(store, name), '')
    for (const path of [
      join(store, 'mine.qcow2'),
      '/etc/passwd',
      join(store, '../../disk0.qcow2'),
      join(store, 'disk0.qcow2/'),
    ]) {
      await assert.rejects(removeMachineFile(path), { code: 'disk-failed', message: /no file of ours/ }, path)
    }
    const there = await readMachineFiles([{ files: [variables('')] } as never])
    assert.deepEqual(
      there,
      ['disk0.qcow2', 'seed-01234567.iso'].map((name) => join(store, name)),
    )
    for (const path of there) await removeMachineFile(path)
    assert.deepEqual(readdirSync(store), ['mine.qcow2'])
    await removeMachineFile(join(store, 'disk0.qcow2'))
  })
})
