import { findAddress } from '../../apply/find-address.js'
import { knownHostsFile } from '../../apply/known-hosts.js'
import { VhostkitError } from '../../core/errors.js'
import { renderSshArgv } from '../../core/render/ssh-argv.js'
import { machineOwner } from '../../core/spec/names.js'
import { findProgram } from '../../host/versions.js'
import { makeFolder } from '../../world/files.js'
import { runAttached } from '../../world/run-program.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

/** The real ssh, to the address that is known. Its exit code is ours; with `--json` it is only shown. */
export async function run(input: CommandInput, { places }: CommandContext): Promise<CommandResult> {
  const { state } = places.folders
  const found = await findAddress(state, input.args.machine ?? '')
  const knownHosts = knownHostsFile(state, found.deployment)
  const argv = renderSshArgv({
    address: found.address,
    user: readUser(input) ?? found.user,
    knownHosts,
    alias: machineOwner(found.deployment, found.machine),
    command: input.rest ?? [],
  })
  if (input.options.printAddress === true) return { text: found.address, data: found, exitCode: 0 }
  if (input.options.json === true) return { text: '', data: { ...found, argv }, exitCode: 0 }
  if ((await findProgram('ssh')) === null) {
    throw new VhostkitError('program-failed', {
      sentence: 'ssh is not installed.',
      hint: 'Run bin/setup, or install openssh-client.',
    })
  }
  await makeFolder(knownHosts.slice(0, knownHosts.lastIndexOf('/')), 0o700)
  return { text: '', data: { ...found, argv }, exitCode: await runAttached(argv) }
}

function readUser(input: CommandInput): string | null {
  const { user } = input.options
  if (typeof user !== 'string') return null
  if (/^[A-Za-z_][A-Za-z0-9_.@\\-]{0,255}$/.test(user)) return user
  throw new VhostkitError('usage', {
    sentence: `--user takes the name of a user; found ${JSON.stringify(user)}.`,
  })
}
