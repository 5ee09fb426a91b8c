import { VhostkitError } from '../../core/errors.js'
import { withLimit } from '../../world/wait-for.js'
import { connectLines, type LineSocket } from '../line-socket.js'

export interface QmpEvent {
  event: string
  data: Record<string, unknown>
}

/** A connection to QEMU's monitor (QMP): greeting taken, capabilities agreed. */
export class QmpClient {
  readonly #path: string
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  readonly #listeners = new Set<(event: QmpEvent) => void>()
  #socket: LineSocket | undefined
  #greeted: () => void = () => undefined
  #nextId = 1
  #closedWhy: string | null = null

  private constructor(path: string) {
    this.#path = path
  }

  /**
   * Connects and waits for the greeting. QEMU accepts the connection long
   * before it greets when it waits for a vhost-user peer, so both have a limit.
   */
  static async connect(path: string, limitMs = 2_000, signal?: AbortSignal): Promise<QmpClient> {
    const client = new QmpClient(path)
    const greeting = new Promise<void>((resolve, reject) => {
      client.#greeted = resolve
      client.#waiting.set(0, { resolve: () => undefined, reject })
    })
    greeting.catch(() => undefined)
    try {
      client.#socket = await connectLines(path, limitMs, {
        message: (message) => client.#take(message),
        closed: (why) => client.#closed(why),
      })
      await withLimit(`QEMU's greeting on ${path}`, limitMs, greeting, signal)
      await client.call('qmp_capabilities', {}, limitMs)
      return client
    } catch (error) {
      client.close()
      throw error
    }
  }

  async call<T = unknown>(execute: string, args: object = {}, limitMs = 5_000): Promise<T> {
    if (this.#closedWhy !== null) throw monitorFailed(this.#path, this.#closedWhy)
    const id = this.#nextId++
    const answer = new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject })
    })
    this.#socket?.send({ execute, arguments: args, id })
    try {
      return await withLimit(`QEMU to answer ${execute} on ${this.#path}`, limitMs, answer)
    } finally {
      this.#waiting.delete(id)
    }
  }

  onEvent(listener: (event: QmpEvent) => void): void {
    this.#listeners.add(listener)
  }

  close(): void {
    this.#socket?.close()
  }

  #take(message: Record<string, unknown>): void {
    if (message.QMP !== undefined) {
      this.#waiting.delete(0)
      this.#greeted()
    } else if (typeof message.event === 'string') {
      const data = (message.data ?? {}) as Record<string, unknown>
      for (const listener of this.#listeners) listener({ event: message.event, data })
    } else {
      this.#answer(message)
    }
  }

  #answer(message: Record<string, unknown>): void {
    const waiting = this.#waiting.get(message.id as number)
    if (waiting === undefined) return
    const error = message.error as { desc?: string } | undefined
    if (error === undefined) waiting.resolve(message.return)
    else waiting.reject(monitorFailed(this.#path, error.desc ?? 'it refused the command'))
  }

  #closed(why: string): void {
    this.#closedWhy = why
    for (const { reject } of this.#waiting.values()) reject(monitorFailed(this.#path, why))
    this.#waiting.clear()
  }
}

function monitorFailed(path: string, why: string): VhostkitError {
  return new VhostkitError('monitor-failed', { sentence: `QEMU's monitor ${path}: ${why}.` })
}
