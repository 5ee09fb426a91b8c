import { type Explanation, explanations } from '../../core/doctor/troubleshooting.js'
import { VhostkitError } from '../../core/errors.js'
import { showTable } from '../../core/render/show-table.js'
import { nearestWord } from '../../core/spec/nearest-word.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

/** `--json`: { code, kind, exitCode, cause, look, mend }; without a code { explanations: […] }. */
export async function run(input: CommandInput, { width }: CommandContext): Promise<CommandResult> {
  const all = explanations()
  const code = input.args.code?.replace(/^\[|\]$/g, '')
  if (code === undefined) {
    const lines = all.map(({ code: name, kind, exitCode, cause }) => [name, kind, exitText(exitCode), cause])
    return {
      text: showTable([['CODE', 'OF', 'EXIT', 'MEANING'], ...lines], width),
      data: { explanations: all },
      exitCode: 0,
    }
  }
  const found = all.find((one) => one.code === code)
  if (found === undefined) {
    const near = nearestWord(
      code,
      all.map((one) => one.code),
    )
    throw new VhostkitError('not-found', {
      sentence: `There is no error or finding ${code}.`,
      hint: `${near === null ? '' : `Is it ${near}? `}\`vhostkit explain\` lists them all.`,
    })
  }
  return { text: show(found), data: found, exitCode: 0 }
}

function show({ code, kind, exitCode, cause, look, mend }: Explanation): string {
  const of = kind === 'error' ? `an error, exit code ${exitText(exitCode)}` : 'a finding of doctor'
  return `${code}: ${of}\n${cause}\n  look at: ${look}\n  mend:    ${mend}`
}

function exitText(exitCode: number | null): string {
  return exitCode === null ? '-' : String(exitCode)
}
