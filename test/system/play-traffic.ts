import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A line of native/test/lab/play_traffic.c. */
export interface TrafficLine {
  attached?: number
  offered?: string
  gap_ns?: number
  received?: number
  repeated?: number
  corrupt?: number
  [key: string]: unknown
}

/** Two play VMs that send each other numbered frames until they are told to end. */
export class PlayTraffic {
  readonly lines: TrafficLine[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown[]>
  #said = ''

  constructor(sockets: string[], program = [join(process.cwd(), 'native/build/test/play-traffic')]) {
    const [file = '', ...words] = program
    this.#child = spawn(file, [...words, ...sockets], { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#ended = once(this.#child, 'close')
    const { stdout, stderr } = this.#child
    if (stdout === null || stderr === null) throw new Error('no pipes')
    createInterface(stdout).on('line', (line) => this.lines.push(JSON.parse(line) as TrafficLine))
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text
    })
  }

  /** Waits for one more line with that key than `before`. */
  async line(key: string, before = 0): Promise<TrafficLine> {
    for (const end = Date.now() + 30_000; Date.now() < end; ) {
      const found = this.lines.filter((line) => key in line)[before]
      if (found !== undefined) return found
      if (this.#child.exitCode !== null) break
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    throw new Error(
      `the traffic did not say "${key}" ${before + 1} times: ${JSON.stringify(this.lines.slice(-5))} ${this.#said}`,
    )
  }

  async ask(word: 'begin' | 'figures', answer: string): Promise<TrafficLine> {
    const before = this.lines.filter((line) => answer in line).length
    this.#child.stdin?.write(`${word}\n`)
    return this.line(answer, before)
  }

  /** The features that each attach of a machine was offered, in their order. */
  offered(machine: number): string[] {
    return this.lines.filter(({ attached }) => attached === machine).map(({ offered }) => offered ?? '')
  }

  /** Ends when every frame has arrived; throws when one is lost. */
  async end(): Promise<TrafficLine> {
    this.#child.stdin?.end('end\n')
    const [code] = await this.#ended
    if (code !== 0) throw new Error(`the traffic ended with ${code}: ${this.#said}`)
    return this.line('ended')
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
