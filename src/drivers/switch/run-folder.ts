import { dirname, join } from 'node:path'
import { VhostkitError } from '../../core/errors.js'
import type { Folders } from '../../core/plan/plan.js'
import { userOf } from '../../core/render/switch/switch-user.js'
import { findAccount } from '../../host/groups.js'
import {
  addMode,
  giveAway,
  giveFolder,
  giveGroup,
  isSocket,
  listFolder,
  makeFolder,
  readOwner,
} from '../../world/files.js'

/** The control socket of the switch of a run folder. */
export function switchControl({ run }: Pick<Folders, 'run'>): string {
  return join(run, 'switch.sock')
}

/** Its user makes socket, state and log there, and removes nothing of ours: hence the sticky bit. Others only pass. */
const sharedMode = 0o1771

/**
 * Makes the folder of the control socket. A switch that becomes another user gets it with his
 * group; what an earlier switch left there, whoever it was, becomes his, or ours again.
 */
export async function makeRunFolder(argv: readonly string[], control: string): Promise<void> {
  const folder = dirname(control)
  await makeFolder(folder, 0o750)
  const user = userOf(argv)
  if (user === null) return takeBack(folder)
  const account = await findAccount(user)
  if (account === null) {
    throw new VhostkitError('switch-start-failed', {
      sentence: `The switch is to run as ${user}, and this host has no such user.`,
      hint: `Make it (\`useradd --system --shell /usr/sbin/nologin ${user}\`), or name another in switch.user.`,
    })
  }
  // While nobody else may write there: so nobody can put something else in the place of what is given away.
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0]
  await giveFolder(folder, uid, gid, 0o751)
  await makeFolder(join(folder, 'machines'), 0o711)
  await giveSwitchFiles(folder, account)
  await giveFolder(folder, uid, account.gid, sharedMode)
}

/** In a sticky folder of a group root itself may not open files of others for writing (fs.protected_regular). */
async function takeBack(folder: string): Promise<void> {
  const owner = await readOwner(folder)
  if (owner === null || owner.uid !== 0 || process.geteuid?.() !== 0 || owner.mode !== sharedMode) return
  await giveFolder(folder, 0, 0, 0o751)
  await giveSwitchFiles(folder, { uid: 0, gid: 0 })
}

async function giveSwitchFiles(folder: string, account: { uid: number; gid: number }): Promise<void> {
  for (const name of await listFolder(folder)) {
    if (/^switch[.-]|^captures$/.test(name)) await giveAway(join(folder, name), account)
  }
}

/** Who runs the switch, as its control socket has it; null when it is not there, or ours. */
export async function readSwitchOwner(control: string): Promise<{ uid: number; gid: number } | null> {
  const owner = await readOwner(control)
  return owner === null || owner.uid === process.geteuid?.() ? null : { uid: owner.uid, gid: owner.gid }
}

/**
 * Lets a switch of another user into the folder of a machine: it passes, and sockets made there
 * are of its group (QEMU of libvirt runs with umask 2), as is the one that a running machine has
 * there already. It can make or remove nothing there.
 */
export async function openToSwitch(control: string, socket: string): Promise<void> {
  const folder = dirname(socket)
  const machines = dirname(folder)
  if (machines !== join(dirname(control), 'machines')) return
  const [switchOwner, owner] = await Promise.all([readSwitchOwner(control), readOwner(folder)])
  if (switchOwner === null || owner === null || owner.uid === switchOwner.uid) return
  // Whoever made the first folder of a machine before the switch was there made this one for himself.
  await addMode(machines, 0o011)
  await giveFolder(folder, owner.uid, switchOwner.gid, 0o2750)
  if (!(await isSocket(socket))) return
  await giveGroup(socket, switchOwner.gid)
  // Where only we may put anything, it is the socket still.
  if (owner.uid === process.geteuid?.()) await addMode(socket, 0o020)
}
