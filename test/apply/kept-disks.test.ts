import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readKeptDisks, readStored } from '../../src/apply/kept-disks.js'
import type { Receipt } from '../../src/apply/receipt.js'

describe('kept disks', () => {
  it('are files of ours in folders of no machine that was applied', async () => {
    const state = mkdtempSync(join(tmpdir(), 'vkt-kept-'))
    const put = (name: string) => {
      const path = join(state, 'disks', name)
      mkdirSync(join(path, '..'), { recursive: true })
      writeFileSync(path, '')
      return path
    }
    try {
      assert.deepEqual(await readKeptDisks(state, []), [])
      const used = put('lab.vm1/disk0.qcow2')
      const gone = [put('lab.vm2/disk0.qcow2'), put('lab.vm2/uefi-variables.fd')]
      const other = put('labor.vm1/disk1.qcow2')
      put('lab.vm2/mine.txt')
      const artifacts = { machines: [{ name: 'vm1' }] }
      const receipt = { deployment: 'lab', artifacts, before: null } as unknown as Receipt
      assert.deepEqual(await readKeptDisks(state, [receipt]), [
        { owner: 'lab.vm2', files: gone },
        { owner: 'labor.vm1', files: [other] },
      ])
      assert.deepEqual(await readStored(state, 'lab.'), [used, ...gone])
    } finally {
      rmSync(state, { recursive: true })
    }
  })
})
