import { VhostkitError } from '../../core/errors.js'
import { userOf } from '../../core/render/switch/switch-user.js'
import {
  hasControl,
  readExecLine,
  readUser,
  replaceExecLine,
  showExecLine,
} from '../../core/service/exec-line.js'
import { servicePlaces, unitName } from '../../core/service/service-files.js'
import { exists, installText, readText } from '../../world/files.js'
import { runProgram } from '../../world/run-program.js'
import { openSeal, sealText } from './sealed-text.js'

const unitPath = servicePlaces['vhostkit-switch.service']

/** The unit may take 10 s to stop before it is killed. */
const stopLimitMs = 15_000

/** Whether systemd runs this host, as sd_booted(3) finds out. */
export async function isSystemdThere(): Promise<boolean> {
  return exists('/run/systemd/system')
}

/** The text of our unit for the switch of that control socket; null: there is none, or no systemd. */
export async function findUnit(control: string): Promise<string | null> {
  if (!(await isSystemdThere())) return null
  const text = await readText(unitPath)
  return text !== null && openSeal(text).owner !== 'foreign' && hasControl(text, control) ? text : null
}

export async function isUnitActive(): Promise<boolean> {
  const { stdout } = await systemctl(['is-active', unitName], 5_000)
  return /^(active|activating|reloading|deactivating)$/.test(stdout.trim())
}

/** Has systemd start the switch, with that command line; null: with the one it has. */
export async function startUnit(
  unit: string,
  argv: readonly string[] | null,
  limitMs: number,
): Promise<void> {
  if (argv !== null) await giveCommand(unit, argv)
  // A unit that failed too often would not be started any more, not even by hand.
  await systemctl(['reset-failed', unitName], 5_000)
  await requireDone(['start', unitName], limitMs)
}

export async function restartUnit(unit: string, argv: readonly string[]): Promise<void> {
  await giveCommand(unit, argv)
  await requireDone(['restart', unitName], stopLimitMs)
}

export async function stopUnit(): Promise<void> {
  await requireDone(['stop', unitName], stopLimitMs)
}

/** Runs systemctl; what it refuses is an error with what it said. */
export async function requireDone(words: readonly string[], limitMs = 10_000): Promise<void> {
  const result = await systemctl(words, limitMs)
  if (result.ok) return
  throw new VhostkitError('service-failed', {
    sentence: `systemctl ${words.join(' ')} failed: ${result.failure}.`,
    hint: `\`journalctl -u ${unitName} -n 30\` has what systemd and the switch said.`,
  })
}

/** The unit follows the plan as the command line of our own supervisor does. One that somebody edited stays. */
async function giveCommand(unit: string, argv: readonly string[]): Promise<void> {
  const wanted = showExecLine(argv)
  const { text, owner } = openSeal(unit)
  requireUnitUser(text, argv)
  if (readExecLine(text) === wanted) return
  if (owner !== 'ours') {
    throw new VhostkitError('service-refused', {
      sentence: `${unitPath} was edited and starts another command line than planned. Wanted ${wanted}, found ${readExecLine(text)}.`,
      hint: 'Write that into the unit, or remove it and run `vhostkit switch install` again.',
    })
  }
  await installText(unitPath, sealText(replaceExecLine(text, argv)), 0o644)
  await requireDone(['daemon-reload'])
}

/** systemd starts the switch as the user of the unit, and he can become nobody else. */
export function requireUnitUser(unit: string, argv: readonly string[]): void {
  const wanted = userOf(argv)
  const found = readUser(unit)
  if (wanted === null || found === null || wanted === found) return
  throw new VhostkitError('service-refused', {
    sentence: `The switch is to run as ${wanted}, and ${unitName} runs it as ${found}.`,
    hint: `Leave switch.user out, or say ${found} there. For another user: \`vhostkit switch uninstall\`, apply, then \`vhostkit switch install\`.`,
  })
}

function systemctl(words: readonly string[], timeoutMs: number) {
  return runProgram('systemctl', words, { timeoutMs })
}
