import {
  access,
  chmod,
  chown,
  constants,
  lchown,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
} from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** The default limit of a text file that is read whole. */
const textLimit = 4 * 1024 * 1024

/** A file's text, or null when there is none. Longer than the limit is an error, never a silent cut. */
export async function readText(path: string, limitBytes = textLimit): Promise<string | null> {
  try {
    const file = await open(path, 'r')
    try {
      // Files of /proc and /sys say size 0, so the bytes are counted as they come.
      const chunks: Buffer[] = []
      let size = 0
      for await (const chunk of file.createReadStream({ autoClose: false })) {
        size += (chunk as Buffer).length
        if (size > limitBytes) throw new Error(`${path} is longer than ${limitBytes} bytes`)
        chunks.push(chunk as Buffer)
      }
      return Buffer.concat(chunks).toString('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** The names in a folder, sorted; empty when there is no such folder. */
export async function listFolder(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort()
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** Writes a file so that a crash at any moment leaves the old or the new text, never a part. The umask narrows its mode. */
export async function writeTextAtomic(path: string, text: string, mode = 0o600): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.${basename(path)}.${process.pid}.tmp`)
  try {
    const file = await open(temporary, 'w', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(folder)
}

/** Installs a file of the system: written in the same way, and of exactly this mode. */
export async function installText(path: string, text: string, mode: number): Promise<void> {
  await writeTextAtomic(path, text, mode)
  await chmod(path, mode)
}

/** Removes what writers of a file left that were killed in the middle; only for who holds the lock. */
export async function removeTornWrites(path: string): Promise<void> {
  const start = `.${basename(path)}.`
  const torn = (await listFolder(dirname(path))).filter(
    (name) => /^\d+\.tmp$/.test(name.slice(start.length)) && name.startsWith(start),
  )
  for (const name of torn) await removeFile(join(dirname(path), name))
}

/** Writes a value into a file of the kernel (sysfs, procfs), which cannot be renamed over. */
export async function writeKernelFile(path: string, text: string): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.write(text)
  } finally {
    await file.close()
  }
}

/**
 * Makes a folder and those above it; the mode is for the folders that are new. Node's own `recursive` never ends where
 * the file system has no such name and takes none (/proc, an automounter): it asks again and again.
 */
export async function makeFolder(path: string, mode = 0o755): Promise<void> {
  const make = () =>
    mkdir(path, { mode }).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error
    })
  await make().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(dirname(path), mode)
    await make()
  })
}

/** Gives a folder to another user, our group staying unless told; the mode is set after, since a change of owner may clear bits. */
export async function changeOwner(
  path: string,
  uid: number,
  mode: number,
  gid = process.getegid?.() ?? 0,
): Promise<void> {
  await chown(path, uid, gid)
  await chmod(path, mode)
}

/** Gives a folder to a user and a group; never through a link. */
export async function giveFolder(path: string, uid: number, gid: number, mode: number): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    await folder.chown(uid, gid)
    await folder.chmod(mode)
  } finally {
    await folder.close()
  }
}

/**
 * Gives a file or folder to another user, whosever it was: not a link, or what has a second name. Only for folders
 * that nobody else may write to.
 */
export async function giveAway(path: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  const found = await lstat(path)
  if (found.isSymbolicLink()) return
  if (!found.isDirectory() && found.nlink > 1) return
  await lchown(path, uid, gid)
}

/** Gives a file to a group, its owner staying; of a link the link itself. Nothing happens when it is not there. */
export async function giveGroup(path: string, gid: number): Promise<void> {
  await lchown(path, -1, gid).catch((error: unknown) => {
    if (!isMissing(error)) throw error
  })
}

/** Adds permission bits to those that a path has. */
export async function addMode(path: string, bits: number): Promise<void> {
  const { mode } = await stat(path)
  if ((mode & bits) !== bits) await chmod(path, (mode & 0o7777) | bits)
}

/** Removes a folder with all that is in it; nothing happens when it is not there. */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true })
}

/** Removes a folder only when nothing is in it. */
export async function removeEmptyFolder(path: string): Promise<void> {
  await rmdir(path).catch((error: NodeJS.ErrnoException) => {
    if (!isMissing(error) && error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
  })
}

/** Removes one file; nothing happens when it is not there. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}

/** Whether there is a socket of that name; a link to one is none. */
export async function isSocket(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isSocket() ?? false
}

/** Whether this process may do that with the file ("rw", "x", …). */
export async function mayAccess(path: string, how: 'r' | 'w' | 'rw' | 'x'): Promise<boolean> {
  const mode = {
    r: constants.R_OK,
    w: constants.W_OK,
    rw: constants.R_OK | constants.W_OK,
    x: constants.X_OK,
  }
  return access(path, mode[how]).then(
    () => true,
    () => false,
  )
}

/** Whether the file really opens read-write, which `access` cannot tell for devices. */
export async function opensReadWrite(path: string): Promise<boolean> {
  try {
    await (await open(path, 'r+')).close()
    return true
  } catch {
    return false
  }
}

/** The last bytes of a file as text, for the tail of a log in an error; empty when there is none. */
export async function readTail(path: string, bytes = 2048): Promise<string> {
  const text = await readFile(path).catch(() => Buffer.alloc(0))
  return text
    .subarray(Math.max(0, text.length - bytes))
    .toString('utf8')
    .trim()
}

/** Where a symbolic link points to, or null. */
export async function readLink(path: string): Promise<string | null> {
  return readlink(path).catch(() => null)
}

/** The permission bits and owner of a path, or null. */
export async function readOwner(path: string): Promise<{ mode: number; uid: number; gid: number } | null> {
  const found = await stat(path).catch(() => null)
  return found && { mode: found.mode & 0o7777, uid: found.uid, gid: found.gid }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENOTDIR'
}
