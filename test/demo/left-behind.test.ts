import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeReceipt } from '../../src/apply/receipt.js'
import type { DemoFolders } from '../../src/demo/demo-folders.js'
import { findHeldPages, findLeftBehind } from '../../src/demo/left-behind.js'
import { removeFolder } from '../../src/world/files.js'
import { makeJournal } from '../apply/fake-hands.js'

describe('left behind', () => {
  let mine: DemoFolders
  let other: DemoFolders
  beforeEach(async () => {
    mine = await makeFolders()
    other = await makeFolders()
  })
  afterEach(async () => {
    await removeFolder(mine.base)
    await removeFolder(other.base)
  })

  it('is nothing when all of it is gone, whatever another demo has', async () => {
    await mkdir(other.folders.run)
    await writeHeldPages(other)
    const stranger = await startProcess(other)
    try {
      const held = await findHeldPages(mine)
      await removeFolder(mine.base)
      assert.deepEqual(await findLeftBehind(mine, held), [])
      assert.ok(existsSync(other.base))
    } finally {
      stranger.kill('SIGKILL')
    }
  })

  it('names each thing of its own that is left', async () => {
    await writeHeldPages(mine)
    const process = await startProcess(mine)
    try {
      const left = await findLeftBehind(mine, await findHeldPages(mine))
      assert.deepEqual(left, [
        `process ${process.pid} (tail)`,
        '6 hugepages of 2M on node 0',
        `folder ${mine.base}`,
      ])
    } finally {
      process.kill('SIGKILL')
    }
  })
})

/** Not named as a demo's: a system test at the same time would take them for one. */
async function makeFolders(): Promise<DemoFolders> {
  const base = await mkdtemp(join(tmpdir(), 'vhostkit-unit-'))
  return { base, folders: { run: join(base, 'run'), state: join(base, 'state') } }
}

async function writeHeldPages({ folders }: DemoFolders): Promise<void> {
  const { receipt } = makeJournal().journal
  await writeReceipt(folders.state, { ...receipt, reserved: [{ node: 0, pageBytes: 2 ** 21, pages: 6 }] })
}

/** A process that names the folder, as QEMU and the switch do. */
async function startProcess({ base }: DemoFolders) {
  const child = spawn('tail', ['-F', join(base, 'run/switch.log')], { stdio: 'ignore' })
  await once(child, 'spawn')
  return child
}
