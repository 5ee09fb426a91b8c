import { dirname } from 'node:path'
import { VhostkitError } from '../core/errors.js'
import { type ServiceFile, servicePlaces, unitName } from '../core/service/service-files.js'
import { isSystemdThere, isUnitActive, requireDone, stopUnit } from '../drivers/service/unit.js'
import { changeOwner, exists, readOwner } from '../world/files.js'
import { runProgram } from '../world/run-program.js'
import { type FileChange, planFiles, planRemoval, removeFiles, writeFiles } from './service-files.js'

/** Refuses hosts and users for whom the unit would be of no use. */
export async function requireService(program: string): Promise<void> {
  if (!(await isSystemdThere())) {
    throw new VhostkitError('service-unsupported', {
      sentence: 'systemd does not run this host: there is no /run/systemd/system.',
    })
  }
  if ((process.geteuid?.() ?? 0) !== 0) {
    throw new VhostkitError('not-permitted', {
      sentence: 'A unit of the system is written by root.',
      hint: 'Run it as root. `vhostkit switch start` starts a switch of your own, with its own supervisor.',
    })
  }
  await requireReachable(program)
}

/** The unit runs as a user without rights, and sees no home. What he runs must be root's all the way. */
async function requireReachable(program: string): Promise<void> {
  const why = /^\/(home|root|run\/user)\//.test(program)
    ? 'it is in a home, which the unit does not see'
    : await findObstacle(program)
  if (why === null) return
  throw new VhostkitError('service-refused', {
    sentence: `The unit cannot run ${program}: ${why}.`,
    hint: 'Install vhostkit as a package (`npm install -g`): its switch is built in /var/cache/vhostkit.',
  })
}

async function findObstacle(program: string): Promise<string | null> {
  for (let path = program; ; path = dirname(path)) {
    const owner = await readOwner(path)
    if (owner === null) return `${path} is not there`
    if (owner.uid !== 0 || (owner.mode & 0o022) !== 0) return `others than root may change ${path}`
    if ((owner.mode & 0o001) === 0) return `others than root may not use ${path}`
    if (path === '/') return null
  }
}

/** Commands after the files, in their order. */
export const installCommands: readonly (readonly string[])[] = [
  ['systemd-sysusers', servicePlaces['vhostkit.sysusers']],
  ['systemd-tmpfiles', '--create', servicePlaces['vhostkit.tmpfiles']],
  ['systemctl', 'daemon-reload'],
  ['systemctl', 'enable', unitName],
]

/** Writes what is new or has changed. A switch that runs already goes on as it is until it is restarted. */
export async function installService(files: readonly ServiceFile[]): Promise<FileChange[]> {
  const changes = await planFiles('/', files)
  await writeFiles('/', files)
  for (const [program = '', ...args] of installCommands) {
    const result = await runProgram(program, args)
    if (result.ok) continue
    throw new VhostkitError('service-failed', {
      sentence: `${[program, ...args].join(' ')} failed: ${result.failure}. The files are written.`,
      hint: 'Mend that and run the command again; it goes on where it was.',
    })
  }
  return changes
}

/** Removes what is ours. @returns also whether the unit ran the switch, which is stopped now. */
export async function uninstallService(run: string): Promise<{ changes: FileChange[]; stopped: boolean }> {
  const changes = await planRemoval('/')
  const ours = changes.some(
    ({ path, action }) => path === servicePlaces['vhostkit-switch.service'] && action === 'remove',
  )
  const systemd = await isSystemdThere()
  const stopped = ours && systemd && (await isUnitActive())
  if (stopped) await stopUnit()
  if (ours && systemd) await requireDone(['disable', unitName])
  await removeFiles(changes)
  if (ours && systemd) await requireDone(['daemon-reload'])
  if (changes.some(({ path, action }) => path.includes('tmpfiles') && action === 'remove'))
    await giveBack(run)
  return { changes, stopped }
}

/** In a sticky folder of a group root itself may not open files of others for writing (fs.protected_regular). */
async function giveBack(run: string): Promise<void> {
  if (await exists(run)) await changeOwner(run, 0, 0o751)
  if (await exists(`${run}/machines`)) await changeOwner(`${run}/machines`, 0, 0o711)
}

/** The user stays: systemd has no way to take one away, and files may be his. */
export const leftBehind = 'The user of the unit stays; `userdel` removes it.'
