import { planSwitchAlone } from '../../apply/switch-alone.js'
import { VhostkitError } from '../../core/errors.js'
import { readHookStatus } from '../../hook/hook-status.js'
import { installHook } from '../../hook/install.js'
import { readLibvirt } from '../../host/libvirt.js'
import { findProgram } from '../../host/versions.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'

/** Where libvirt looks for hooks. */
const usualFolder = '/etc/libvirt/hooks'

export async function run(input: CommandInput, { places }: CommandContext): Promise<CommandResult> {
  const { folders, root, builtSwitch } = places
  const { hooksDir } = input.options
  const libvirt = await readLibvirt()
  if (libvirt === null) throw new VhostkitError('libvirt-missing')
  const user = libvirt.user?.uid ?? 0
  const settings = await installHook({
    root,
    hooks: typeof hooksDir === 'string' ? hooksDir : usualFolder,
    node: (await findProgram('node')) ?? process.execPath,
    folders,
    switch: await planSwitchAlone(folders, builtSwitch),
    uid: user === (process.geteuid?.() ?? 0) ? null : user,
    now: Date.now(),
  })
  const { seen, problems } = await readHookStatus(folders.state)
  const text = [`Installed ${settings.dropIn}.`, ...problems].join('\n')
  return { text, data: { dropIn: settings.dropIn, first: settings.first, seen, problems }, exitCode: 0 }
}
