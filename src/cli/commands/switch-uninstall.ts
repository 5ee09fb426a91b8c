import { resolve } from 'node:path'
import { withLock } from '../../apply/operation.js'
import { type FileChange, planRemoval, removeFiles } from '../../apply/service-files.js'
import { leftBehind, uninstallService } from '../../apply/service-install.js'
import { planSwitchAlone } from '../../apply/switch-alone.js'
import { unitName } from '../../core/service/service-files.js'
import { startSwitch } from '../../drivers/switch/process.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readWait } from '../read-input.js'

export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { root, dryRun } = input.options
  if (typeof root === 'string' || dryRun === true) {
    const changes = await planRemoval(typeof root === 'string' ? resolve(root) : '/')
    if (dryRun !== true) await removeFiles(changes)
    return answer(changes, dryRun === true)
  }
  const { places, commandLine, signal } = context
  const { folders, builtSwitch } = places
  return withLock({ folders, commandLine, signal, lockLimitMs: readWait(input) }, async () => {
    // Planned before it is stopped, so that machines are without a switch for as short as can be.
    const { argv, control } = await planSwitchAlone(folders, builtSwitch)
    const { changes, stopped } = await uninstallService(folders.run)
    const info = stopped ? await startSwitch(argv, control, signal) : null
    const removed = changes.some(({ action }) => action === 'remove')
    return answer(changes, false, [
      ...(info === null ? [] : [`The switch runs on with its own supervisor (pid ${info.pid}).`]),
      ...(removed ? [leftBehind] : []),
    ])
  })
}

function answer(changes: FileChange[], dry: boolean, more: string[] = []): CommandResult {
  const there = changes.filter(({ action }) => action !== 'absent')
  const lines = there.map(({ path, action }) =>
    action === 'keep' ? `keep   ${path} (edited, or not ours)` : `${action.padEnd(6)} ${path}`,
  )
  const text = there.length === 0 ? 'Nothing of the service is installed.' : [...lines, ...more].join('\n')
  const changed = !dry && there.some(({ action }) => action === 'remove')
  return { text, data: { changed, unit: unitName, files: changes }, exitCode: 0 }
}
