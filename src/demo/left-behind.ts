import { readReceipts } from '../apply/receipt.js'
import { showSize } from '../core/spec/size.js'
import { readTaps } from '../drivers/host/taps.js'
import { exists } from '../world/files.js'
import { findProcessIds, readArguments } from '../world/processes.js'
import type { DemoFolders } from './demo-folders.js'

/**
 * Everything of this demo that is still there, and nothing of others at work on
 * the same host: processes that name its folder, taps that bear its mark, the
 * folder with its sockets, and (from `findHeldPages`) what its receipts hold.
 */
export async function findLeftBehind({ base, folders }: DemoFolders, heldPages: string[]): Promise<string[]> {
  const processes = (await findProcesses(base)).map(({ pid, program }) => `process ${pid} (${program})`)
  const taps = (await readTaps(folders.run)).map(({ ifname }) => `tap ${ifname}`)
  const folder = (await exists(base)) ? [`folder ${base}`] : []
  return [...processes, ...taps, ...heldPages, ...folder]
}

/** The hugepages that the receipts still hold; to be asked before their folder is removed. */
export async function findHeldPages({ folders }: DemoFolders): Promise<string[]> {
  const receipts = await readReceipts(folders.state)
  return receipts.flatMap(({ reserved }) =>
    reserved.map(
      ({ node, pageBytes, pages }) => `${pages} hugepages of ${showSize(pageBytes)} on node ${node}`,
    ),
  )
}

/** The processes whose arguments name the folder: QEMU, the switch and its supervisor. */
export async function findProcesses(base: string): Promise<{ pid: number; program: string }[]> {
  const pids = await findProcessIds((argv) => argv.some((word) => word.includes(`${base}/`)))
  return Promise.all(pids.map(async (pid) => ({ pid, program: (await readArguments(pid))?.[0] ?? '' })))
}
