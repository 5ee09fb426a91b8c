import { readHookStatus } from '../../hook/hook-status.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

export async function run(_input: CommandInput, { places }: CommandContext): Promise<CommandResult> {
  const status = await readHookStatus(places.folders.state)
  const { installed, dropIn, seen, problems } = status
  const line = installed
    ? `${dropIn} is installed${seen === true ? ', and libvirtd sees it' : seen === null ? '; no libvirtd runs' : ''}.`
    : 'No hook is installed: `vhostkit hooks install`.'
  return { text: [line, ...problems].join('\n'), data: status, exitCode: problems.length > 0 ? 4 : 0 }
}
