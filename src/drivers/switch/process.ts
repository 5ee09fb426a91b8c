import { basename } from 'node:path'
import { VhostkitError } from '../../core/errors.js'
import { userOf } from '../../core/render/switch/switch-user.js'
import { findAccount } from '../../host/groups.js'
import { readTail } from '../../world/files.js'
import { findProcessIds, readArguments, seesOurFiles } from '../../world/processes.js'
import { startLogged } from '../../world/start-logged.js'
import { WaitedTooLong, waitFor } from '../../world/wait-for.js'
import { endProcesses } from '../end-processes.js'
import { findUnit, isUnitActive, requireUnitUser, restartUnit, startUnit, stopUnit } from '../service/unit.js'
import { askIfAny, askSwitch, isUnreachable, silent } from './client.js'
import { openPorts } from './ports.js'
import type { SwitchInfo } from './protocol.js'
import { makeRunFolder } from './run-folder.js'

/**
 * One that ends is seen at once, and a hook gives a signal that comes earlier: only a hang waits this long. A start
 * took more than 2.5 s once, on two cores with a load of 7.
 */
const startLimitMs = 10_000
/** In a hook libvirt waits, and systemctl hears no signal. */
const unitLimitMs = 2_500

/**
 * Starts the switch and waits until it answers; does nothing when one answers already. Where our unit is installed
 * systemd starts it, with this command line, or with `asInstalled` that of the unit.
 */
export async function startSwitch(
  argv: readonly string[],
  control: string,
  signal?: AbortSignal,
  asInstalled = false,
): Promise<SwitchInfo> {
  const running = await readSwitch(control)
  if (running !== null) return running
  const unit = await findUnit(control)
  if (unit !== null && !asInstalled) requireUnitUser(unit, argv)
  // For a unit systemd-tmpfiles makes it, for the user of the unit.
  if (unit === null || userOf(argv) !== null) await makeRunFolder(argv, control)
  if (unit !== null)
    await startUnit(unit, asInstalled ? null : argv, asInstalled ? unitLimitMs : startLimitMs)
  const info = await (unit === null ? startOwn(argv, control, signal) : answering(control, signal))
  await openPorts(control)
  return info
}

/** Stops the switch and starts it; at once where systemd runs it. */
export async function restartSwitch(
  argv: readonly string[],
  control: string,
  signal?: AbortSignal,
): Promise<SwitchInfo> {
  const info = await peekSwitch(control)
  const unit = info !== null && info.service !== null ? await findUnit(control) : null
  if (unit !== null && (await isUnitActive())) {
    await restartUnit(unit, argv)
    const restarted = await answering(control, signal)
    await openPorts(control)
    return restarted
  }
  await stopSwitch(control)
  return startSwitch(argv, control, signal)
}

function answering(control: string, signal?: AbortSignal): Promise<SwitchInfo> {
  return waitFor({ what: 'the switch to answer', limitMs: startLimitMs, everyMs: 20, signal }, () =>
    peekSwitch(control),
  )
}

/** Starts it with its own supervisor. */
async function startOwn(
  argv: readonly string[],
  control: string,
  signal: AbortSignal | undefined,
): Promise<SwitchInfo> {
  const log = logOf(argv, control)
  const owner = await readLogOwner(argv)
  const child = await startLogged(argv, log, { owner }).catch((cause: Error) => {
    throw startFailed(argv, `${cause.message}`, '', cause)
  })
  try {
    return await waitFor(
      { what: 'the switch to answer', limitMs: startLimitMs, everyMs: 20, signal },
      async () => {
        const ended = child.ended()
        if (ended !== null) {
          throw startFailed(
            argv,
            `It ended at once (${ended.signal ?? `exit code ${ended.exitCode}`}).`,
            await readTail(log),
          )
        }
        return peekSwitch(control)
      },
    )
  } catch (error) {
    await endProcesses([child.pid], 300)
    if (!(error instanceof WaitedTooLong)) throw error
    throw startFailed(argv, `It did not answer within ${startLimitMs / 1000} s.`, await readTail(log), error)
  }
}

/** What the switch says of itself; null when there is none. One that listens and does not answer is an error. */
export async function readSwitch(control: string, limitMs = 5_000): Promise<SwitchInfo | null> {
  return askIfAny(control, 'switch.info', {}, limitMs).catch((error: unknown) => {
    throw error instanceof WaitedTooLong ? silent(control, limitMs, error) : error
  })
}

/** The same for those who look again and again: null as well when it does not answer yet. */
export async function peekSwitch(control: string, limitMs = 1_000): Promise<SwitchInfo | null> {
  return askSwitch(control, 'switch.info', {}, limitMs).catch(() => null)
}

/** The argument array it was started with, read from the supervisor or, without one, from itself. */
export async function readSwitchArguments(info: SwitchInfo): Promise<string[] | null> {
  return readArguments(info.supervisor_pid || info.pid)
}

/** Ends the switch and whoever would start it again: asked first, then told. @returns whether there was one. */
export async function stopSwitch(control: string, limitMs = 5_000): Promise<boolean> {
  const seen = await readSwitch(control, limitMs).catch((error: Error) => error)
  const info = seen instanceof Error ? null : seen
  const unit = info === null || info.service !== null ? await findUnit(control) : null
  if (unit !== null && (await isUnitActive())) {
    await stopUnit()
    return true
  }
  if (seen instanceof Error && !isUnreachable(seen)) throw seen
  if (info === null) {
    const ended = await endByCommandLine(control)
    if (!ended && seen instanceof Error) throw seen
    return ended
  }
  const pids = [info.supervisor_pid, info.pid].filter((pid) => pid > 0)
  await askSwitch(control, 'switch.shutdown', {}, 2_000).catch(() => undefined)
  await endProcesses(pids, 2_000)
  return true
}

/**
 * One that hangs, or whose socket was removed, is known by its command line, and must be of our own view of the files:
 * not a container's. @returns whether there was one.
 */
async function endByCommandLine(control: string): Promise<boolean> {
  const found = await findProcessIds(
    (argv) =>
      basename(argv[0] ?? '') === 'vhostkit-switch' && argv[argv.indexOf('--control') + 1] === control,
  )
  const ours = await Promise.all(found.map(seesOurFiles))
  const pids = found.filter((_, index) => ours[index])
  await endProcesses(pids, 0)
  return pids.length > 0
}

async function readLogOwner(argv: readonly string[]): Promise<{ uid: number; gid: number } | null> {
  const user = userOf(argv)
  return user === null ? null : findAccount(user)
}

/** The switch's own log also takes what it says before it can log. */
function logOf(argv: readonly string[], control: string): string {
  const at = argv.indexOf('--log')
  return (at >= 0 ? argv[at + 1] : undefined) ?? `${control}.log`
}

function startFailed(argv: readonly string[], why: string, tail: string, cause?: unknown): VhostkitError {
  const said = tail === '' ? '' : ` Its last words: ${tail.split('\n').slice(-3).join(' | ')}`
  return new VhostkitError('switch-start-failed', {
    sentence: `The switch ${argv[0] ?? ''} did not start. ${why}${said}`,
    hint: `Run the command by hand to see more: ${argv.join(' ')}`,
    cause,
  })
}
