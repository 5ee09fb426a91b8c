import { resolve } from 'node:path'
import { withLock } from '../../apply/operation.js'
import { type FileChange, makeServiceFiles, planFiles, writeFiles } from '../../apply/service-files.js'
import { installCommands, installService, requireService } from '../../apply/service-install.js'
import { plainSwitchArgv, planSwitchAlone } from '../../apply/switch-alone.js'
import { userOf } from '../../core/render/switch/switch-user.js'
import { unitName } from '../../core/service/service-files.js'
import { readSupervision } from '../../drivers/service/supervision.js'
import { readSwitch } from '../../drivers/switch/process.js'
import { findGroupName } from '../../host/groups.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readWait } from '../read-input.js'

/** Prints, writes below a folder for somebody else's host, or installs on this one. */
export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { root, print, dryRun } = input.options
  const { places } = context
  if (print === true || typeof root === 'string') {
    const argv = plainSwitchArgv(places.folders, places.builtSwitch)
    const files = await makeServiceFiles(places.root, argv, places.folders.run)
    if (print === true) {
      const text = files.map(({ path, text: body }) => `# ${path}\n${body}`).join('\n')
      return {
        text,
        data: { unit: unitName, files: files.map(({ path, text: body }) => ({ path, text: body })) },
        exitCode: 0,
      }
    }
    const below = resolve(String(root))
    const changes = await planFiles(below, files)
    if (dryRun !== true) await writeFiles(below, files)
    return answer(changes, [], dryRun === true)
  }
  return installHere(input, context)
}

async function installHere(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { places, commandLine, signal } = context
  const { folders, builtSwitch } = places
  const dry = input.options.dryRun === true
  await requireService(builtSwitch)
  return withLock({ folders, commandLine, signal, lockLimitMs: readWait(input) }, async () => {
    const { argv, control } = await planSwitchAlone(folders, builtSwitch)
    const user = userOf(argv)
    const group = user === null ? null : await findGroupName(user)
    const files = await makeServiceFiles(places.root, argv, folders.run, group)
    const changes = dry ? await planFiles('/', files) : await installService(files)
    return answer(changes, dry ? installCommands : [], dry, dry ? [] : await whatNext(control))
  })
}

async function whatNext(control: string): Promise<string[]> {
  const info = await readSwitch(control)
  if (info === null) return ['systemd starts the switch at boot; now: `vhostkit switch start`.']
  if ((await readSupervision(info)).by === 'systemd')
    return ['systemd runs the switch; `vhostkit switch restart` gives it the new unit.']
  return [
    'The switch runs with its own supervisor still; `vhostkit switch restart` hands it over to systemd.',
  ]
}

function answer(
  changes: FileChange[],
  commands: readonly (readonly string[])[],
  dry: boolean,
  next: string[] = [],
): CommandResult {
  const text = [
    ...changes.map(({ path, action }) => `${action.padEnd(6)} ${path}`),
    ...commands.map((words) => `run    ${words.join(' ')}`),
    ...next,
  ].join('\n')
  const changed = !dry && changes.some(({ action }) => action !== 'same')
  return { text, data: { changed, unit: unitName, files: changes, commands }, exitCode: 0 }
}
