import { dirname, join } from 'node:path'
import { VhostkitError } from '../../core/errors.js'
import type { Folders } from '../../core/plan/plan.js'
import { userOf } from '../../core/render/switch/switch-user.js'
import { findAccount } from '../../host/groups.js'
import { addMode, giveAway, giveFolder, listFolder, makeFolder, readOwner } from '../../world/files.js'

/** The control socket of the switch of a run folder. */
export function switchControl({ run }: Pick<Folders, 'run'>): string {
  return join(run, 'switch.sock')
}

/** Its user makes socket, state and log there, and removes nothing of ours: hence the sticky bit. Others only pass. */
const sharedMode = 0o1771

/**
 * Makes the folder of the control socket. A switch that becomes another user gets it with his
 * group; what an earlier switch left there, whoever it was, becomes his.
 */
export async function makeRunFolder(argv: readonly string[], control: string): Promise<void> {
  const folder = dirname(control)
  await makeFolder(folder, 0o750)
  const user = userOf(argv)
  if (user === null) return
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
  for (const name of await listFolder(folder)) {
    if (/^switch[.-]|^captures$/.test(name)) await giveAway(join(folder, name), account)
  }
  await giveFolder(folder, uid, account.gid, sharedMode)
}

/** Who runs the switch, as its control socket has it; null when it is not there, or ours. */
export async function readSwitchOwner(control: string): Promise<{ uid: number; gid: number } | null> {
  const owner = await readOwner(control)
  return owner === null || owner.uid === process.geteuid?.() ? null : { uid: owner.uid, gid: owner.gid }
}

/**
 * Lets a switch of another user into the folder of a machine: it passes, and sockets made there
 * are of its group (QEMU of libvirt runs with umask 2). It can make or remove nothing there.
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
}
