import { VhostkitError } from '../../core/errors.js'
import { SwitchClient } from '../../drivers/switch/client.js'
import { switchControl } from '../../drivers/switch/run-folder.js'
import { readSample, type Sample } from '../../drivers/switch/sample.js'
import { serveText } from '../../world/serve-text.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { makeFamilies, showFamilies } from '../seeing/metrics.js'
import { readListen } from '../seeing/read-listen.js'

/** Prints the metrics, or serves them until Ctrl-C. */
export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const control = switchControl(context.places.folders)
  const { listen } = input.options
  if (listen !== undefined) return serve(control, String(listen), context)
  const families = makeFamilies(await readOnce(control))
  return { text: showFamilies(families), data: { families }, exitCode: 0 }
}

async function serve(control: string, listen: string, context: CommandContext): Promise<CommandResult> {
  const { host, port } = readListen(listen)
  let answers = 0
  const server = await serveText(host, port, {
    path: '/metrics',
    type: 'text/plain; version=0.0.4; charset=utf-8',
    read: async () => {
      answers++
      return showFamilies(makeFamilies(await readOnce(control).catch(awayIsNull)))
    },
  })
  const url = `http://${server.address}/metrics`
  context.follow(`Metrics are at ${url} until Ctrl-C.`, { listening: url })
  if (!context.signal.aborted) {
    await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }))
  }
  await server.close()
  return { text: '', data: { answers }, exitCode: 0 }
}

async function readOnce(control: string): Promise<Sample> {
  const client = await SwitchClient.connect(control)
  try {
    return await readSample(client)
  } finally {
    client.close()
  }
}

/** A switch that is away is what a scraper wants to know, not a failed scrape. */
function awayIsNull(error: unknown): null {
  if (error instanceof VhostkitError) return null
  throw error
}
