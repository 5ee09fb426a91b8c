import { type Detached, detach, planDetachment } from '../../hotplug/detach.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { operate } from '../operate.js'
import { readConnect, readMac, readRequiredName } from '../read-input.js'

export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const wish = {
    connect: readConnect(input),
    domain: input.args.domain ?? '',
    network: readRequiredName('a network', input.args.network),
    mac: readMac(input, 'mac'),
  }
  if (input.options.dryRun === true) {
    const { uuid: _, ...planned } = await planDetachment(wish, context.places.folders)
    return {
      text: planned.steps.map(({ label }) => label).join('\n'),
      data: show(planned, false),
      exitCode: 0,
    }
  }
  const done = await operate(`detach a card from ${wish.domain}`, input, context, (operation) =>
    detach(wish, operation),
  )
  const text = `${done.domain}: card ${done.mac} is gone, and its port ${done.port}.`
  return { text, data: show(done, true), exitCode: 0 }
}

function show({ steps, ...detached }: Detached, changed: boolean) {
  return { changed, ...detached, steps: steps.map(({ id }) => id) }
}
