import { accelerate, planAcceleration } from '../../apply/convert-domain.js'
import { withLock } from '../../apply/operation.js'
import { VhostkitError } from '../../core/errors.js'
import { readHookStatus } from '../../hook/hook-status.js'
import { readSettings } from '../../hook/settings.js'
import { readFacts } from '../../host/facts.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readConnect, readName, readWait } from '../read-input.js'

export async function run(
  input: CommandInput,
  { places, ...context }: CommandContext,
): Promise<CommandResult> {
  const { folders, builtSwitch } = places
  const convert = {
    connect: readConnect(input),
    domain: input.args.domain ?? '',
    network: readName(input, 'network'),
    folders,
    facts: await readFacts(builtSwitch),
    switchArgv: (await readSettings(folders.state))?.switch.argv ?? [],
  }
  if (input.options.dryRun === true) {
    const { found: _, ...planned } = await planAcceleration(convert)
    return {
      text: [planned.difference, ...planned.notices].join('\n\n'),
      data: { changed: false, ...planned },
      exitCode: 0,
    }
  }
  if (!(await readHookStatus(folders.state)).installed) {
    throw new VhostkitError('domain-refused', {
      sentence: `No hook is installed: whoever started ${convert.domain} would wait for a port without limit.`,
      hint: 'Run `vhostkit hooks install` first.',
    })
  }
  const done = await withLock({ ...context, folders, lockLimitMs: readWait(input) }, () =>
    accelerate(convert),
  )
  const notices = done.notices.map((notice) => `\n\n${notice}`).join('')
  const text = `${done.difference}${notices}\n\n${done.domain}: accelerated. \`vhostkit restore ${done.domain}\` brings back what it was.`
  return { text, data: { changed: true, ...done }, exitCode: 0 }
}
