import { resolve } from 'node:path'
import { type FoundAddress, findAddress } from '../../apply/find-address.js'
import { knownHostsFile } from '../../apply/known-hosts.js'
import { VhostkitError } from '../../core/errors.js'
import { renderSshArgv, type SshTarget } from '../../core/render/ssh-argv.js'
import { machineOwner } from '../../core/spec/names.js'
import { refusesHostKey, sshFailed } from '../../drivers/network/host-key.js'
import { findProgram } from '../../host/versions.js'
import { exists, makeFolder } from '../../world/files.js'
import { runAttached } from '../../world/run-program.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

/** The real ssh, to the address that is known. Its exit code is ours; with `--json` it is only shown. */
export async function run(input: CommandInput, { places }: CommandContext): Promise<CommandResult> {
  const { state } = places.folders
  const found = await findAddress(state, input.args.machine ?? '')
  const knownHosts = knownHostsFile(state, found.deployment)
  const target: SshTarget = {
    address: found.address,
    user: readUser(input) ?? found.user,
    identity: await readIdentity(input),
    knownHosts,
    alias: machineOwner(found.deployment, found.machine),
    command: input.rest ?? [],
  }
  const argv = renderSshArgv(target)
  if (input.options.printAddress === true) return { text: found.address, data: found, exitCode: 0 }
  if (input.options.json === true) return { text: '', data: { ...found, argv }, exitCode: 0 }
  if ((await findProgram('ssh')) === null) {
    throw new VhostkitError('program-failed', {
      sentence: 'ssh is not installed.',
      hint: 'Run bin/setup, or install openssh-client.',
    })
  }
  await makeFolder(knownHosts.slice(0, knownHosts.lastIndexOf('/')), 0o700)
  const exitCode = await runAttached(argv)
  // The same code may be that of the command: ssh is asked again, without one that matters.
  if (exitCode === sshFailed && (await refusesHostKey(renderSshArgv({ ...target, command: ['true'] })))) {
    throw keyChanged(found, target)
  }
  return { text: '', data: { ...found, argv }, exitCode }
}

function keyChanged({ deployment, machine }: FoundAddress, { knownHosts, alias }: SshTarget): VhostkitError {
  return new VhostkitError('host-key-changed', {
    sentence: `${deployment}/${machine} has another host key than it had.`,
    hint: `If it was made anew: ssh-keygen -f '${knownHosts}' -R ${alias}. If not, somebody else answers at its address.`,
  })
}

async function readIdentity(input: CommandInput): Promise<string | null> {
  const { identity } = input.options
  if (typeof identity !== 'string') return null
  const path = resolve(identity)
  if (await exists(path)) return path
  throw new VhostkitError('usage', {
    sentence: `--identity takes the file of a private key; ${path} does not exist.`,
  })
}

function readUser(input: CommandInput): string | null {
  const { user } = input.options
  if (typeof user !== 'string') return null
  if (/^[A-Za-z_][A-Za-z0-9_.@\\-]{0,255}$/.test(user)) return user
  throw new VhostkitError('usage', {
    sentence: `--user takes the name of a user; found ${JSON.stringify(user)}.`,
  })
}
