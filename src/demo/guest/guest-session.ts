import { Console } from '../../drivers/qemu/console.js'
import { waitFor } from '../../world/wait-for.js'
import { type PingResult, parsePing } from '../parse-ping.js'
import { type ProbeReport, parseProbeReport } from '../parse-probe-report.js'

/** A guest under TCG on a busy host boots in 4 to 12 s. */
const bootLimitMs = 60_000
const answerLimitMs = 10_000

/** Talks with native/guest/init over the serial console: one line each way, answers begin with "@". */
export class GuestSession {
  readonly name: string
  readonly #console: Console
  readonly #signal: AbortSignal
  #nextId = 1

  private constructor(name: string, console: Console, signal: AbortSignal) {
    this.name = name
    this.#console = console
    this.#signal = signal
  }

  /** Connects to the console of a machine that was just started. */
  static async connect(name: string, socket: string, signal: AbortSignal): Promise<GuestSession> {
    return new GuestSession(name, await Console.connect(name, socket), signal)
  }

  /** Waits until the guest has its network up and reads commands. */
  async ready(): Promise<void> {
    await this.#console.take(/^@ready .*$/m, bootLimitMs, this.#signal)
    await this.answers()
  }

  /** Waits until the guest answers: what it said before somebody listened is lost. */
  async answers(): Promise<void> {
    await waitFor(
      { what: `an answer of ${this.name}`, limitMs: answerLimitMs, signal: this.#signal },
      async () => {
        const id = this.#send('sync')
        return this.#console.take(new RegExp(`^@${id} sync`, 'm'), 1_000, this.#signal).catch(() => null)
      },
    )
  }

  async ping(peer: string, count: number, intervalS: number): Promise<PingResult> {
    const id = this.#send('ping', `${count} ${intervalS} ${peer}`)
    const limitMs = count * intervalS * 1_000 + answerLimitMs
    const match = await this.#console.take(new RegExp(`^((?:.*\\n)*?)@${id} end`, 'm'), limitMs, this.#signal)
    return parsePing(match[1] ?? '')
  }

  /** Gives a card an address and brings it up; waits for one that is just plugged in. */
  async addAddress(cidr: string, device: string): Promise<void> {
    const id = this.#send('address', `${cidr} ${device}`)
    const match = await this.#console.take(
      new RegExp(`^((?:.*\\n)*?)@${id} end`, 'm'),
      2 * answerLimitMs,
      this.#signal,
    )
    const complaint = new RegExp(`^@${id} (.*)$`, 'm').exec(match[1] ?? '')?.[1]
    if (complaint !== undefined) throw new Error(`${this.name}: ${complaint}`)
  }

  /** Names of the cards that the guest has. */
  async cards(): Promise<string[]> {
    const id = this.#send('cards')
    const match = await this.#console.take(
      new RegExp(`^@${id} cards (.*)$`, 'm'),
      answerLimitMs,
      this.#signal,
    )
    return (match[1] ?? '').trim().split(/\s+/)
  }

  /** From here on probes go to the peer all the time, until `endProbe`. */
  async startProbe(peer: string, intervalMs: number): Promise<void> {
    const id = this.#send('probe', `${peer} ${intervalMs}`)
    await this.#console.take(new RegExp(`^@${id} started`, 'm'), answerLimitMs, this.#signal)
  }

  /** What the probe saw since the last mark. */
  async probeStatus(): Promise<ProbeReport> {
    return this.#askProbe('status')
  }

  /** The same, and a new window begins. */
  async markProbe(): Promise<ProbeReport> {
    return this.#askProbe('mark')
  }

  async endProbe(): Promise<ProbeReport> {
    return this.#askProbe('quit')
  }

  /** What a command of the guest's shell prints. */
  async run(command: string): Promise<string> {
    const id = this.#send('run', command)
    const pattern = new RegExp(`^((?:.*\\n)*?)@${id} end`, 'm')
    const match = await this.#console.take(pattern, answerLimitMs, this.#signal)
    const lines = (match[1] ?? '').split('\n').filter((line) => line.startsWith(`@${id} `))
    return lines.map((line) => line.slice(id.length + 2)).join('\n')
  }

  close(): void {
    this.#console.close()
  }

  async #askProbe(command: string): Promise<ProbeReport> {
    this.#console.send(command)
    const match = await this.#console.take(/^@probe (.*)$/m, answerLimitMs, this.#signal)
    return parseProbeReport(match[1] ?? '')
  }

  #send(verb: string, rest = ''): string {
    const id = `c${this.#nextId++}`
    this.#console.send(`${verb} ${id} ${rest}`.trimEnd())
    return id
  }
}
