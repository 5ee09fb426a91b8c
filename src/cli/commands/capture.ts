import { VhostkitError } from '../../core/errors.js'
import { type CaptureEnd, type CaptureRequest, capturePort } from '../../drivers/switch/capture.js'
import { askSwitch } from '../../drivers/switch/client.js'
import { compileFilter } from '../../drivers/switch/compile-filter.js'
import { switchControl } from '../../drivers/switch/run-folder.js'
import { createFile, type OpenFile } from '../../world/open-file.js'
import { waitFor } from '../../world/wait-for.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readCount } from '../read-input.js'

/** Writes what passes a port until Ctrl-C, the count, the time, or until nobody reads it any more. */
export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { signal, places } = context
  const path = readWrite(input)
  const seconds = readCount(input, 'seconds', 0, 86_400, 1)
  const control = switchControl(places.folders)
  const request = await readRequest(input)
  const before = await requirePort(control, request.port)
  const limits = seconds > 0 ? [signal, AbortSignal.timeout(seconds * 1000)] : [signal]
  const opened: { file: OpenFile | null } = { file: null }
  try {
    // The file is made when the switch has said yes: a wrong word costs no file of before.
    const started = async () => {
      opened.file = path === null ? null : await createFile(path)
      return opened.file?.write ?? context.pour
    }
    const end = await capturePort(control, request, started, AbortSignal.any(limits))
    await requireEnd(end, request, control, before)
    return told(end, request.port, path, signal.aborted, context)
  } finally {
    await opened.file?.close()
  }
}

/** Null: on stdout. */
function readWrite({ options }: CommandInput): string | null {
  const { write, json } = options
  if (typeof write === 'string' && write !== '-') return write
  const why =
    json === true
      ? '--json prints its object on stdout, where the capture would be'
      : process.stdout.isTTY === true
        ? 'stdout is a terminal, and a capture is no text'
        : null
  if (why === null) return null
  throw new VhostkitError('usage', {
    sentence: `${why[0]?.toUpperCase()}${why.slice(1)}.`,
    hint: 'Add --write FILE, or pipe it: vhostkit capture PORT | tshark -r -',
  })
}

async function readRequest(input: CommandInput): Promise<CaptureRequest> {
  const snaplen = readCount(input, 'snaplen', 0, 65_535, 64)
  const count = readCount(input, 'count', 0, Number.MAX_SAFE_INTEGER, 1)
  const { filter } = input.options
  return {
    port: input.args.port ?? '',
    ...(snaplen > 0 ? { snaplen } : {}),
    ...(count > 0 ? { count } : {}),
    ...(typeof filter === 'string' ? { filter: await compileFilter(filter) } : {}),
  }
}

/** The switch's process that has the port now. */
async function requirePort(control: string, port: string): Promise<number> {
  const { ports } = await askSwitch(control, 'port.list')
  if (ports.some(({ name }) => name === port)) return (await askSwitch(control, 'switch.info')).pid
  const names = ports.map(({ name }) => name).join(', ')
  throw new VhostkitError('not-found', {
    sentence: `The switch has no port ${port}; it has ${names === '' ? 'none' : names}.`,
    hint: 'See vhostkit switch ports.',
  })
}

/** A stream that the switch ended by itself, and not because of the count, says why. */
async function requireEnd(
  end: CaptureEnd,
  request: CaptureRequest,
  control: string,
  pid: number,
): Promise<void> {
  const { frames } = end.counts
  if (end.by !== 'switch' || (request.count !== undefined && frames >= request.count)) return
  const why = await whyEnded(control, request.port, pid)
  throw new VhostkitError('capture-ended', {
    sentence: `The capture of port ${request.port} ended after ${frames} frames: ${why}.`,
  })
}

async function whyEnded(control: string, port: string, pid: number): Promise<string> {
  // One that is restarted is back in a moment.
  const what = { what: 'the switch to be back', limitMs: 3_000, everyMs: 200 }
  const ask = () => askSwitch(control, 'switch.info').catch(() => null)
  const info = await waitFor(what, ask).catch(() => null)
  if (info === null) return 'the switch is away'
  if (info.pid !== pid) return 'the switch was restarted'
  const { ports } = await askSwitch(control, 'port.list')
  return ports.some(({ name }) => name === port) ? 'the switch closed the connection' : 'the port was removed'
}

function told(
  { by, counts }: CaptureEnd,
  port: string,
  path: string | null,
  interrupted: boolean,
  { report }: CommandContext,
): CommandResult {
  const { frames } = counts
  const lost = counts.interface?.dropped ?? null
  const ended =
    by === 'reader' ? 'reader' : by === 'switch' ? 'count' : interrupted ? 'interrupted' : 'seconds'
  const text = `${frames} frames captured, ${lost ?? 'an unknown number of them'} lost${path === null ? '' : `: ${path}`}`
  if (path === null) report.show(text)
  return { text: path === null ? '' : text, data: { port, file: path, frames, lost, ended }, exitCode: 0 }
}
