import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** A real terminal with a shell in it, which a test types into and reads. */
export class Tmux {
  static #made = 0
  readonly #socket: string
  readonly #env: Record<string, string>

  /** `folder`: where the shell begins and the socket is. */
  constructor(folder: string, env: Record<string, string>, [columns, rows]: [number, number]) {
    // Each its own: a server that was just ended may still take the connection.
    this.#socket = `${folder}/.tmux${Tmux.#made++}`
    this.#env = env
    const size = ['-x', String(columns), '-y', String(rows)]
    // Nothing of the person's own settings; a scrollback that holds the whole run.
    const first = ['-f', '/dev/null', 'set-option', '-g', 'history-limit', '5000', ';']
    this.#run([...first, 'new-session', '-d', ...size, '-c', folder, '/bin/sh'])
  }

  /** Names of keys such as Enter or Up; anything else is typed as it stands. */
  press(...keys: string[]): void {
    this.#run(['send-keys', ...keys])
  }

  type(text: string): void {
    this.#run(['send-keys', '-l', text])
  }

  /** What is on the screen, with what has been scrolled away above it. */
  text(): string {
    return this.#run(['capture-pane', '-p', '-J', '-S', '-'])
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n')
      .trimEnd()
  }

  /** Waits until the text after `from` matches; the error shows what was there instead. */
  async until(pattern: RegExp, limitMs: number, from = 0): Promise<string> {
    const end = performance.now() + limitMs
    for (;;) {
      const text = this.text()
      if (pattern.test(text.slice(from))) return text
      if (performance.now() > end)
        throw new Error(`no ${pattern} within ${limitMs} ms on the screen:\n${text}`)
      await sleep(100)
    }
  }

  end(): void {
    spawnSync('tmux', ['-S', this.#socket, 'kill-server'])
  }

  #run(args: string[]): string {
    const { status, stdout, stderr, error } = spawnSync('tmux', ['-S', this.#socket, ...args], {
      encoding: 'utf8',
      timeout: 10_000,
      env: { ...process.env, ...this.#env, LC_ALL: 'C.UTF-8', TMUX: '' },
    })
    if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr} ${error?.message ?? ''}`)
    return stdout
  }
}
