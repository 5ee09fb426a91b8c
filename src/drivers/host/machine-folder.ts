import { dirname } from 'node:path'
import {
  addMode,
  changeOwner,
  exists,
  isSocket,
  makeFolder,
  readOwner,
  removeEmptyFolder,
  removeFile,
} from '../../world/files.js'

/** Others may pass the folders above a machine's, but not see what is in them. */
const passBits = 0o011

/** What is made in such a folder has its group (`switch install` makes one, for a switch of another user). */
const setGroup = 0o2000

/**
 * Makes the folder of a machine's sockets, which nobody else may enter. With
 * `uid` it is for a QEMU that another user runs: he owns it, we keep our group in it. Where the folder above
 * gives its group to what is in it, that is the group of the switch, and stays. A failure leaves nothing new.
 */
export async function makeMachineFolder(path: string, uid?: number): Promise<void> {
  const machines = dirname(path)
  const above = await readOwner(machines)
  if (above !== null && (above.mode & setGroup) !== 0) {
    return makeGiven(path, uid ?? process.geteuid?.() ?? 0, setGroup | 0o750, above.gid)
  }
  if (uid === undefined) return makeFolder(path, 0o700)
  await makeFolder(machines, 0o711)
  await addMode(dirname(machines), passBits)
  await addMode(machines, passBits)
  await makeGiven(path, uid, 0o770)
}

async function makeGiven(path: string, uid: number, mode: number, gid?: number): Promise<void> {
  const isNew = !(await exists(path))
  await makeFolder(path, mode & 0o777)
  try {
    await changeOwner(path, uid, mode, gid)
  } catch (error) {
    if (isNew) await removeEmptyFolder(path)
    throw error
  }
}

/**
 * Lets the switch connect to sockets that QEMU made for its own user only, once they are there: those
 * whose folder has the group of the switch. libvirt's QEMU makes them for the group already.
 */
export async function shareSockets(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const folder = await readOwner(dirname(path))
    if (folder === null || (folder.mode & setGroup) === 0 || !(await isSocket(path))) continue
    await addMode(path, 0o020)
  }
}

/** Removes a socket that nobody listens on any more; anything else of that name stays. */
export async function removeSocket(path: string): Promise<void> {
  if (await isSocket(path)) await removeFile(path)
}
