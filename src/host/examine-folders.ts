import { type Finding, fine, note, problem } from '../core/doctor/finding.js'
import type { Folders } from '../core/plan/plan.js'
import { mayAccess, readOwner } from '../world/files.js'

/** Whether the folders of sockets and receipts can be used, and by nobody else. */
export async function examineFolders({ run, state }: Folders): Promise<Finding[]> {
  return Promise.all([examineFolder('run folder', run), examineFolder('state folder', state)])
}

async function examineFolder(subject: string, path: string): Promise<Finding> {
  const owner = await readOwner(path)
  if (owner === null) return fine(subject, `${path} is made when it is needed`)
  if (!(await mayAccess(path, 'rw'))) {
    return problem(
      'folder-closed',
      subject,
      `${path} is not writable`,
      'Sockets and receipts cannot be made.',
      `Use its owner (uid ${owner.uid}), or another folder with --run-dir and --state-dir.`,
    )
  }
  if ((owner.mode & 0o002) !== 0) {
    return problem(
      'folder-open',
      subject,
      `${path} is writable by everybody`,
      'Anybody could put a socket in place of ours.',
      `chmod o-w ${path}`,
      { do: 'set-mode', path, mode: owner.mode & ~0o002 },
    )
  }
  // sockaddr_un holds 107 bytes; a machine adds about 60.
  if (subject === 'run folder' && path.length > 45) {
    return note(
      'folder-long',
      subject,
      `${path} is long`,
      'Socket paths must stay under 108 bytes.',
      'Use a shorter --run-dir.',
    )
  }
  return fine(subject, path)
}
