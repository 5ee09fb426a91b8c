import { connect, type Socket } from 'node:net'
import { withLimit } from '../world/wait-for.js'

/** A UNIX socket that speaks one JSON object a line, as the switch and QEMU's monitor do. */
export interface LineSocket {
  send(message: unknown): void
  close(): void
}

export interface LineHandlers {
  message(message: Record<string, unknown>): void
  /** Called once, however the connection ended. */
  closed(why: string): void
}

/** A line longer than this is not from our peers. */
const lineLimit = 8 * 1024 * 1024

export async function connectLines(
  path: string,
  limitMs: number,
  handlers: LineHandlers,
): Promise<LineSocket> {
  const socket = connect(path)
  try {
    await withLimit(`a connection to ${path}`, limitMs, connected(socket))
  } catch (error) {
    socket.destroy()
    throw error
  }
  serve(socket, handlers)
  return {
    send: (message) => void socket.write(`${JSON.stringify(message)}\n`),
    close: () => void socket.destroy(),
  }
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
}

function serve(socket: Socket, handlers: LineHandlers): void {
  let pending = ''
  let why = 'the connection was closed'
  socket.setEncoding('utf8')
  socket.on('error', (error) => {
    why = error.message
  })
  socket.on('close', () => handlers.closed(why))
  socket.on('data', (text: string) => {
    const lines = (pending + text).split('\n')
    pending = lines.pop() ?? ''
    for (const line of lines) {
      const message = parseObject(line)
      if (message !== null) handlers.message(message)
    }
    if (pending.length > lineLimit) {
      why = 'a line was too long'
      socket.destroy()
    }
  })
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
