import { type Attached, attach, planAttachment } from '../../hotplug/attach.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { operate } from '../operate.js'
import { readConnect, readCount, readMac, readRequiredName } from '../read-input.js'

export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const wish = {
    connect: readConnect(input),
    domain: input.args.domain ?? '',
    network: readRequiredName('a network', input.args.network),
    mac: readMac(input, 'mac'),
    queues: readCount(input, 'queues', 1, 64, 1),
    mtu: input.options.mtu === undefined ? null : readCount(input, 'mtu', 1500, 9216, 68),
  }
  if (input.options.dryRun === true) {
    const {
      giveBack: _,
      name: _name,
      uuid: _uuid,
      ...planned
    } = await planAttachment(wish, context.places.folders)
    return {
      text: [...planned.steps.map(({ label }) => label), ...planned.notices].join('\n'),
      data: show(planned, false),
      exitCode: 0,
    }
  }
  const done = await operate(`attach a card to ${wish.domain}`, input, context, (operation) =>
    attach(wish, operation),
  )
  const when = done.live ? (done.config ? 'now and from its next start on' : 'now') : 'from its next start on'
  const text = `${done.domain}: card ${done.mac} on ${done.network}, ${when} (port ${done.port}).`
  return { text: [text, ...done.notices].join('\n'), data: show(done, true), exitCode: 0 }
}

function show({ steps, ...attached }: Attached, changed: boolean) {
  return { changed, ...attached, steps: steps.map(({ id }) => id) }
}
