import { connect, type Socket } from 'node:net'
import { VhostkitError } from '../../core/errors.js'
import { WaitedTooLong, withLimit } from '../../world/wait-for.js'

/** How much of a console is kept to search in. */
const keptCharacters = 256 * 1024

/** The serial console of a machine. Connect right after the start: what nobody hears is lost. */
export class Console {
  readonly #machine: string
  readonly #socket: Socket
  #text = ''
  #wake: () => void = () => undefined
  #closed = false

  private constructor(machine: string, socket: Socket) {
    this.#machine = machine
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      // A serial line ends with CR LF.
      this.#text = (this.#text + text.replaceAll('\r', '')).slice(-keptCharacters)
      this.#wake()
    })
    socket.on('close', () => {
      this.#closed = true
      this.#wake()
    })
  }

  static async connect(machine: string, path: string, limitMs = 2_000): Promise<Console> {
    const socket = connect(path)
    const opened = new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.on('error', reject)
    })
    await withLimit(`the console of ${machine}`, limitMs, opened)
    return new Console(machine, socket)
  }

  send(line: string): void {
    this.#socket.write(`${line}\n`)
  }

  /** Waits for a line that matches and takes it, with all before it, from what is kept. */
  async take(pattern: RegExp, limitMs: number, signal?: AbortSignal): Promise<RegExpExecArray> {
    const end = performance.now() + limitMs
    for (;;) {
      signal?.throwIfAborted()
      // Only whole lines: the end of the text may be the middle of one.
      const match = pattern.exec(this.#text.slice(0, this.#text.lastIndexOf('\n') + 1))
      if (match !== null) {
        this.#text = this.#text.slice(match.index + match[0].length)
        return match
      }
      const left = end - performance.now()
      if (this.#closed || left <= 0) throw this.#failure(pattern, limitMs)
      await this.#moreWithin(left, signal)
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  async #moreWithin(limitMs: number, signal?: AbortSignal): Promise<void> {
    const more = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    const wake = () => this.#wake()
    signal?.addEventListener('abort', wake)
    try {
      await withLimit('the console', limitMs, more)
    } catch (error) {
      if (!(error instanceof WaitedTooLong)) throw error
    } finally {
      signal?.removeEventListener('abort', wake)
    }
  }

  #failure(pattern: RegExp, limitMs: number): VhostkitError {
    const last = this.#text.trim().split('\n').slice(-2).join(' | ')
    const why = this.#closed ? 'was closed' : `was silent for ${limitMs / 1000} s`
    return new VhostkitError('console-failed', {
      sentence: `The console of ${this.#machine} ${why} while ${pattern} was waited for. Last: ${last}`,
    })
  }
}
