import { dirname } from 'node:path'
import { addMode, changeOwner, isSocket, makeFolder, removeFile } from '../../world/files.js'

/** Others may pass the folders above a machine's, but not see what is in them. */
const passBits = 0o011

/**
 * Makes the folder of a machine's sockets, which nobody else may enter. With
 * `uid` it is for a QEMU that another user runs: he owns it, we keep our group in it.
 */
export async function makeMachineFolder(path: string, uid?: number): Promise<void> {
  if (uid === undefined) return makeFolder(path, 0o700)
  const machines = dirname(path)
  await makeFolder(machines, 0o711)
  await addMode(dirname(machines), passBits)
  await addMode(machines, passBits)
  await makeFolder(path, 0o770)
  await changeOwner(path, uid, 0o770)
}

/** Removes a socket that nobody listens on any more; anything else of that name stays. */
export async function removeSocket(path: string): Promise<void> {
  if (await isSocket(path)) await removeFile(path)
}
