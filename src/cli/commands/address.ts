import { findAddress } from '../../apply/find-address.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

/** The address alone, so that a script can use it as it stands. */
export async function run(input: CommandInput, { places }: CommandContext): Promise<CommandResult> {
  const found = await findAddress(places.folders.state, input.args.machine ?? '')
  return { text: found.address, data: found, exitCode: 0 }
}
