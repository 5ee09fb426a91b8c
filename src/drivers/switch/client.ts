import { VhostkitError } from '../../core/errors.js'
import { pause, WaitedTooLong, withLimit } from '../../world/wait-for.js'
import { connectLines, type LineSocket } from '../line-socket.js'
import type { SwitchEvent, SwitchMethods, SwitchRefusal } from './protocol.js'

/** One connection to the switch: JSON-RPC 2.0, one object a line (native/PROTOCOL.md). */
export class SwitchClient {
  readonly #control: string
  readonly #socket: LineSocket
  readonly #waiting: Map<number, Waiting>
  #closedWhy: string | null = null
  #onEvent: (event: SwitchEvent) => void = () => undefined
  #onClosed: () => void = () => undefined
  #nextId = 1

  private constructor(control: string, socket: LineSocket, waiting: Map<number, Waiting>) {
    this.#control = control
    this.#socket = socket
    this.#waiting = waiting
  }

  static async connect(control: string, limitMs = 2_000): Promise<SwitchClient> {
    const waiting = new Map<number, Waiting>()
    let deliver: (message: Record<string, unknown>) => void = () => undefined
    let ended: (why: string) => void = () => undefined
    const socket = await connectLines(control, limitMs, {
      message: (message) => deliver(message),
      closed: (why) => {
        for (const { reject } of waiting.values()) reject(unreachable(control, why))
        waiting.clear()
        ended(why)
      },
    }).catch((cause: NodeJS.ErrnoException) => {
      if (cause instanceof WaitedTooLong) throw cause
      throw cause.code === 'EACCES' ? notOurs(control, cause) : unreachable(control, whyRefused(cause), cause)
    })
    const client = new SwitchClient(control, socket, waiting)
    deliver = (message) => client.#take(message)
    ended = (why) => {
      client.#closedWhy = why
      client.#onClosed()
    }
    return client
  }

  /** Calls a method; a refusal of the switch becomes an error with its reason and hint. */
  async call<M extends keyof SwitchMethods>(
    method: M,
    params: object = {},
    limitMs = 5_000,
  ): Promise<SwitchMethods[M]> {
    if (this.#closedWhy !== null) throw unreachable(this.#control, this.#closedWhy)
    const id = this.#nextId++
    const answer = new Promise<SwitchMethods[M]>((resolve, reject) => {
      this.#waiting.set(id, { method, resolve: resolve as (result: unknown) => void, reject })
    })
    this.#socket.send({ jsonrpc: '2.0', id, method, params })
    try {
      return await withLimit(`the switch to answer ${method} on ${this.#control}`, limitMs, answer)
    } finally {
      this.#waiting.delete(id)
    }
  }

  /** Subscribes to events; they come until the connection is closed. */
  async subscribe(onEvent: (event: SwitchEvent) => void, onClosed: () => void): Promise<void> {
    this.#onEvent = onEvent
    this.#onClosed = onClosed
    await this.call('events.subscribe')
  }

  close(): void {
    this.#socket.close()
  }

  #take(message: Record<string, unknown>): void {
    if (message.method === 'event') {
      this.#onEvent(message.params as SwitchEvent)
      return
    }
    const waiting = this.#waiting.get(message.id as number)
    if (waiting === undefined) return
    if (message.error === undefined) waiting.resolve(message.result)
    else waiting.reject(refusal(waiting.method, message.error as SwitchRefusal))
  }
}

/** Connects, asks one thing, closes. */
export async function askSwitch<M extends keyof SwitchMethods>(
  control: string,
  method: M,
  params: object = {},
  limitMs = 5_000,
): Promise<SwitchMethods[M]> {
  const client = await SwitchClient.connect(control, Math.min(limitMs, 2_000))
  try {
    return await client.call(method, params, limitMs)
  } finally {
    client.close()
  }
}

/** How soon a switch that crashed is asked again. */
export const askAgainMs = 50

/**
 * Asks a switch that may be off (null), or may crash just then: a connection that broke off was to one
 * that crashed, and its successor is asked. All of it within one limit.
 */
export async function askIfAny<M extends keyof SwitchMethods>(
  control: string,
  method: M,
  params: object = {},
  limitMs = 5_000,
): Promise<SwitchMethods[M] | null> {
  const end = performance.now() + limitMs
  for (;;) {
    try {
      return await askSwitch(control, method, params, Math.max(1, end - performance.now()))
    } catch (error) {
      if (isNobody(error)) return null
      if (!isUnreachable(error) || end - performance.now() <= askAgainMs) throw error
    }
    await pause(askAgainMs)
  }
}

/** Nobody listens, or a connection broke off; one that is open and silent is another matter. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof VhostkitError && error.code === 'switch-unreachable'
}

/** Refused, or no socket at all; a connection that was there and broke off has no such cause. */
function isNobody(error: unknown): boolean {
  if (!isUnreachable(error)) return false
  const code = ((error as VhostkitError).cause as NodeJS.ErrnoException | undefined)?.code
  return code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR'
}

/** The result of a line that is the answer to that method; a refusal of the switch is thrown. */
export function readAnswer(method: string, line: string): unknown {
  const { result, error } = JSON.parse(line) as { result?: unknown; error?: SwitchRefusal }
  if (error !== undefined) throw refusal(method, error)
  return result
}

interface Waiting {
  method: string
  resolve(result: unknown): void
  reject(error: Error): void
}

function refusal(method: string, { message, data = {} }: SwitchRefusal): VhostkitError {
  const expected = data.wanted === undefined ? '' : ` Wanted ${data.wanted}, found ${data.found}.`
  return new VhostkitError(data.reason === 'port-exists' ? 'port-exists' : 'switch-refused', {
    sentence: `The switch refused ${method}: ${message}.${expected}`.replace('..', '.'),
    ...(data.hint === undefined ? {} : { hint: data.hint }),
    cause: data.reason,
  })
}

/** The kernel's words for nobody who listens say little. */
export function whyRefused({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'there is no such socket'
  return code === 'ECONNREFUSED' ? 'nobody listens there any more' : message
}

export function unreachable(control: string, why: string, cause?: unknown): VhostkitError {
  return new VhostkitError('switch-unreachable', {
    sentence: `The switch does not answer on ${control}: ${why}.`,
    hint: 'Start it with `vhostkit switch start`, or see its log beside the socket.',
    cause,
  })
}

/** The error for a switch that listens, and does not answer. */
export function silent(control: string, limitMs: number, cause: unknown): VhostkitError {
  return new VhostkitError('switch-unreachable', {
    sentence: `The switch listens on ${control}, but does not answer within ${limitMs / 1000} s.`,
    hint: 'It may be stopped (SIGSTOP), hang, or the host is busy: try again, or `vhostkit switch restart`.',
    cause,
  })
}

function notOurs(control: string, cause: unknown): VhostkitError {
  return new VhostkitError('not-permitted', {
    sentence: `This user may not ask the switch: ${control} is closed to it.`,
    hint: 'Run as root, as the user of the switch, or as a member of the group of that socket.',
    cause,
  })
}
