import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface LineServer {
  path: string
  close(): Promise<void>
}

type Message = Record<string, unknown>

/** A server that plays the switch or QEMU: one JSON object a line, answered as the test says. */
export async function serveLines(
  answer: (message: Message, send: (reply: unknown) => void, socket: Socket) => void,
  greeting?: unknown,
  at?: string,
): Promise<LineServer> {
  const folder = at === undefined ? mkdtempSync(join(tmpdir(), 'vkt-')) : dirname(at)
  mkdirSync(folder, { recursive: true })
  const path = at ?? join(folder, 'socket')
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    const send = (reply: unknown) =>
      void socket.write(typeof reply === 'string' ? reply : `${JSON.stringify(reply)}\n`)
    if (greeting !== undefined) send(greeting)
    let pending = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (pending + text).split('\n')
      pending = lines.pop() ?? ''
      for (const line of lines) answer(JSON.parse(line) as Message, send, socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    path,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      rmSync(folder, { recursive: true })
    },
  }
}
