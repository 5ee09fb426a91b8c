import { VhostkitError } from '../errors.js'

/** An argument array as `ExecStart=` takes it: systemd expands % and $, and cuts at blanks (systemd.service(5)). */
export function showExecLine(argv: readonly string[]): string {
  return argv.map(showWord).join(' ')
}

function showWord(word: string): string {
  if (/\p{Cc}/u.test(word)) {
    throw new VhostkitError('service-refused', {
      sentence: `A unit cannot have the argument ${JSON.stringify(word)}.`,
      hint: 'Use folders without control characters (--run-dir, --state-dir).',
    })
  }
  if (/^[\w@+=:,./-]+$/.test(word)) return word
  const escaped = word.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$')
  return `"${escaped}"`
}

/** Whether the unit starts the switch of that control socket. */
export function hasControl(unit: string, control: string): boolean {
  const line = readExecLine(unit)
  return line !== null && ` ${line} `.includes(` --control ${showWord(control)} `)
}

/** The command line of a unit as it stands there; null: it has none. */
export function readExecLine(unit: string): string | null {
  return /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? null
}

/** Whom a unit starts its program as; null: root. */
export function readUser(unit: string): string | null {
  return /^User=(.*)$/m.exec(unit)?.[1] ?? null
}

/** The unit with another command line, all else as it was. */
export function replaceExecLine(unit: string, argv: readonly string[]): string {
  const line = showExecLine(argv)
  return unit.replace(/^ExecStart=.*$/m, () => `ExecStart=${line}`)
}
