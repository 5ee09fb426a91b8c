import { VhostkitError } from '../../src/core/errors.js'
import { endProcesses } from '../../src/drivers/end-processes.js'
import { sendSignal } from '../../src/world/processes.js'
import { type PipedProgram, startPiped } from '../../src/world/run-program.js'

/** How soon the end of a program is noticed; what it says is noticed at once. */
const lookMs = 250
/** How much of what a program said is kept. */
const keptCharacters = 256 * 1024

/** A program that is told lines and answers with text. */
export class Conversation {
  readonly name: string
  readonly #program: PipedProgram
  readonly #signal: AbortSignal
  #heard = ''
  #said = ''
  #wake = () => {}

  private constructor(name: string, program: PipedProgram, signal: AbortSignal) {
    this.name = name
    this.#program = program
    this.#signal = signal
    program.onOutput((text, stream) => {
      if (stream === 'stdout') this.#heard = (this.#heard + text).slice(-keptCharacters)
      this.#said = (this.#said + text).slice(-4096)
      this.#wake()
    })
  }

  static async start(name: string, argv: readonly string[], signal: AbortSignal): Promise<Conversation> {
    return new Conversation(name, await startPiped(argv), signal)
  }

  get pid(): number {
    return this.#program.pid
  }

  say(line: string): void {
    this.#program.write(`${line}\n`)
  }

  /**
   * Waits until the pattern was said; gives what was said up to its end and forgets it. It sleeps
   * meanwhile: on a machine of two cores, looking often would disturb what is measured.
   */
  async hear(pattern: RegExp, limitMs: number): Promise<string> {
    const endMs = performance.now() + limitMs
    for (;;) {
      this.#signal.throwIfAborted()
      const match = pattern.exec(this.#heard)
      if (match !== null) {
        const end = match.index + match[0].length
        const text = this.#heard.slice(0, end)
        this.#heard = this.#heard.slice(end)
        return text
      }
      const ended = this.#program.ended()
      if (ended !== null) throw this.#failed(`ended (${ended.signal ?? `exit code ${ended.exitCode}`})`)
      if (performance.now() > endMs) throw this.#failed(`did not say ${pattern} within ${limitMs} ms`)
      await this.#nextWords()
    }
  }

  /** Closes its input, which ends it; then it is made to. */
  async end(): Promise<void> {
    // One that was stopped would neither see the end of its input nor a signal.
    sendSignal(this.pid, 'SIGCONT')
    this.#program.closeInput()
    await endProcesses([this.pid], 3_000)
  }

  #nextWords(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, lookMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #failed(why: string): VhostkitError {
    const words = this.#said.trim().split('\n').slice(-4).join(' | ')
    return new VhostkitError('program-failed', { sentence: `${this.name} ${why}. Its last words: ${words}` })
  }
}
