import { type ErrorCode, type ErrorRow, errorTable, VhostkitError } from '../../core/errors.js'
import { showTable } from '../../core/render/show-table.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

export async function run(input: CommandInput, { width }: CommandContext): Promise<CommandResult> {
  const rows: Record<string, ErrorRow> = errorTable
  const { code } = input.args
  if (code === undefined) {
    const lines = Object.entries(rows).map(([name, row]) => [name, String(row.exitCode), row.sentence])
    return { text: showTable([['CODE', 'EXIT', 'MEANING'], ...lines], width), data: rows, exitCode: 0 }
  }
  const row = Object.hasOwn(rows, code) ? rows[code as ErrorCode] : undefined
  if (row === undefined) {
    throw new VhostkitError('not-found', {
      sentence: `There is no error code ${code}.`,
      hint: '`vhostkit explain` lists them all.',
    })
  }
  const text = `${code} (exit code ${row.exitCode})\n${row.sentence}\n${row.hint}`
  return { text, data: { code, ...row }, exitCode: 0 }
}
