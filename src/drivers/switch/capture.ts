import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { endianness } from 'node:os'
import type { FilterInstruction } from '../../core/capture/parse-filter.js'
import { makePcapngBlocks, type PcapngCounts } from '../../core/capture/pcapng-blocks.js'
import { withLimit } from '../../world/wait-for.js'
import { readAnswer, unreachable, whyRefused } from './client.js'

/** What the switch is asked for (capture.start in native/PROTOCOL.md). */
export interface CaptureRequest {
  port: string
  snaplen?: number
  count?: number
  filter?: FilterInstruction[]
}

/** Takes bytes of whole blocks, and resolves when it has room for more. False: nobody reads them any more. */
export type CaptureSink = (bytes: Uint8Array) => Promise<boolean>

export interface CaptureEnd {
  /** `switch`: it ended the stream by itself; `asked`: the signal came; `reader`: nobody took what came. */
  by: 'switch' | 'asked' | 'reader'
  counts: PcapngCounts
}

/** How long the switch may take to answer, and to send what is left when it was asked to end. */
const answerMs = 5_000
const restMs = 5_000

/**
 * Captures a port until the signal, the count or the switch ends it. The capture is this connection: however we
 * end, the kernel closes it, and the switch takes the capture away.
 */
export async function capturePort(
  control: string,
  request: CaptureRequest,
  started: () => Promise<CaptureSink>,
  signal: AbortSignal,
): Promise<CaptureEnd> {
  const socket = connect(control)
  const blocks = makePcapngBlocks(endianness() === 'LE')
  try {
    await withLimit(`a connection to ${control}`, answerMs, once(socket, 'connect'), signal).catch(
      (cause: Error) => {
        signal.throwIfAborted()
        throw unreachable(control, whyRefused(cause), cause)
      },
    )
    const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    const rest = await withLimit(
      `the switch to answer capture.start on ${control}`,
      answerMs,
      askOn(socket, chunks, control, request),
      signal,
    )
    const sink = await started()
    const end = watchEnd(socket, signal)
    try {
      return { by: await pour(rest, chunks, blocks.push, sink, signal), counts: blocks.counts() }
    } finally {
      end.stop()
    }
  } finally {
    socket.destroy()
  }
}

/** Sends the request; returns what came behind the line of the answer. */
async function askOn(
  socket: Socket,
  chunks: AsyncIterator<Buffer>,
  control: string,
  params: CaptureRequest,
): Promise<Buffer> {
  socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'capture.start', params })}\n`)
  let pending: Buffer = Buffer.alloc(0)
  for (;;) {
    const { value, done } = await chunks.next()
    if (done === true) throw unreachable(control, 'the connection was closed')
    pending = Buffer.concat([pending, value])
    const end = pending.indexOf('\n')
    if (end < 0) continue
    readAnswer('capture.start', pending.subarray(0, end).toString('utf8'))
    return pending.subarray(end + 1)
  }
}

/** When the signal comes, the switch is told that we have enough; what is left and the counts still come, for a while. */
function watchEnd(socket: Socket, signal: AbortSignal): { stop(): void } {
  let limit: NodeJS.Timeout | undefined
  const end = () => {
    socket.end()
    limit = setTimeout(() => socket.destroy(), restMs)
  }
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
  return {
    stop: () => {
      clearTimeout(limit)
      signal.removeEventListener('abort', end)
    },
  }
}

/** Takes no more from the switch than the sink takes from us: what waits longer than its ring, the switch counts as lost. */
async function pour(
  first: Buffer,
  chunks: AsyncIterator<Buffer>,
  cut: (bytes: Uint8Array) => Uint8Array,
  sink: CaptureSink,
  signal: AbortSignal,
): Promise<CaptureEnd['by']> {
  for (let bytes: Buffer | null = first; bytes !== null; bytes = await nextOf(chunks)) {
    const whole = cut(bytes)
    if (whole.length > 0 && !(await sink(whole))) return 'reader'
  }
  return signal.aborted ? 'asked' : 'switch'
}

/** Null at the end, also of a connection that broke: what came before it is whole. */
async function nextOf(chunks: AsyncIterator<Buffer>): Promise<Buffer | null> {
  const { value, done } = await chunks.next().catch(() => ({ value: null, done: true }))
  return done === true ? null : value
}
