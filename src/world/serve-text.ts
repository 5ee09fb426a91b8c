import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { VhostkitError } from '../core/errors.js'

export interface TextServer {
  /** Where it listens, as in "127.0.0.1:9720". */
  address: string
  close(): Promise<void>
}

export interface TextPage {
  path: string
  type: string
  read(): Promise<string>
}

/** A reader that needs longer than this is no reader. */
const requestLimitMs = 5_000
const connectionsMost = 32

/** Serves one page over HTTP to those who ask with GET or HEAD; everything about a request has a limit. */
export async function serveText(host: string, port: number, page: TextPage): Promise<TextServer> {
  const server = createServer(
    {
      requestTimeout: requestLimitMs,
      headersTimeout: requestLimitMs,
      maxHeaderSize: 8192,
      keepAliveTimeout: 5_000,
    },
    (request, response) => void answer(request, response, page),
  )
  server.maxConnections = connectionsMost
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  }).catch((cause: Error) => {
    throw new VhostkitError('listen-failed', {
      sentence: `${host}:${port} cannot be listened on: ${cause.message}.`,
      cause,
    })
  })
  const bound = server.address()
  const number = typeof bound === 'object' && bound !== null ? bound.port : port
  return {
    address: `${host.includes(':') ? `[${host}]` : host}:${number}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, page: TextPage): Promise<void> {
  const { method } = request
  if (method !== 'GET' && method !== 'HEAD')
    return end(response, 405, `Only GET and HEAD.\n`, { allow: 'GET, HEAD' })
  if (request.url?.split('?')[0] !== page.path) return end(response, 404, `There is only ${page.path}.\n`)
  try {
    end(response, 200, await page.read(), { 'content-type': page.type })
  } catch (error) {
    end(response, 500, `${error instanceof Error ? error.message : String(error)}\n`)
  }
}

function end(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  const length = Buffer.byteLength(body)
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': length,
    ...headers,
  })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}
