import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bash } from '../docs/follow-page.js'
import { testFolderPrefix } from './host-state.js'
import { type CliResult, startCli } from './run-cli.js'

const script = join(process.cwd(), 'test/system/systemd-jail/start.sh')
const inside = '/opt/vhostkit-jail'

/** Our words for the shell; a policy that a kernel without AppArmor compiles, and cannot load; a switch that runs. */
const installWords = [
  `ln -s ${inside}/node /usr/local/bin/node`,
  `ln -s ${inside}/bin/vhostkit.js /usr/local/bin/vhostkit`,
  '[ -e /sys/kernel/security/apparmor ] || {',
  "  printf '%s\\n' '#!/bin/sh' 'exec /usr/sbin/apparmor_parser --skip-kernel-load \"$@\"' >/usr/local/bin/apparmor_parser",
  '  chmod 755 /usr/local/bin/apparmor_parser',
  '}',
  'PATH=/usr/local/bin:$PATH vhostkit switch start',
].join('\n')

/** A real systemd of the test's own, on a copy of this host's root that nothing outlives (systemd-jail/start.sh). */
export class SystemdJail {
  readonly #folder = mkdtempSync(join(tmpdir(), testFolderPrefix.slice(1)))
  #outer: ChildProcess | null = null
  #said = ''
  #pid = 0

  async start(): Promise<void> {
    requireHost()
    this.#outer = spawn(
      'unshare',
      ['--mount', 'sh', script, 'start', this.#folder, process.cwd(), process.execPath],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    for (const stream of [this.#outer.stdout, this.#outer.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#said = (this.#said + text).slice(-4_000)
      })
    }
    for (const end = Date.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
      this.#pid = findChild(this.#outer.pid ?? 0)
      if (this.#pid > 0 && isSystemd(this.#pid)) {
        const { stdout } = await this.run('systemctl', 'is-system-running')
        if (stdout.trim() === 'running') return
      }
      if (Date.now() > end || this.#outer.exitCode !== null) {
        throw new Error(`systemd did not come up within 20 s in namespaces of its own: ${this.#said}`)
      }
    }
  }

  /** Runs lines of a page inside, in the folder of vhostkit. */
  async follow(script: string): Promise<CliResult> {
    return this.run(...bash, `PATH=/usr/local/bin:$PATH\ncd ${inside}\n${script}`)
  }

  /** Makes it a host of somebody who installed vhostkit. */
  async install(): Promise<void> {
    const { exitCode, stderr } = await this.run('sh', '-ec', installWords)
    if (exitCode !== 0) throw new Error(stderr)
  }

  /** Runs a program inside, to its end. */
  run(...words: string[]): Promise<CliResult> {
    return startCli([], {}, this.command(...words)).result
  }

  /** Runs the tool inside. */
  vhostkit(...words: string[]): Promise<CliResult> {
    return this.run(`${inside}/node`, `${inside}/bin/vhostkit.js`, ...words)
  }

  /** The words that run a program inside, from out here. */
  command(...words: string[]): string[] {
    const enter = [
      'nsenter',
      '--target',
      String(this.#pid),
      '--mount',
      '--pid',
      '--uts',
      '--ipc',
      '--net',
      '--cgroup',
      '--root',
      '--wd',
    ]
    return [...enter, 'env', '-i', 'HOME=/root', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', ...words]
  }

  readonly traffic = `${inside}/native/build/test/play-traffic`

  async end(): Promise<void> {
    const outer = this.#outer
    if (outer !== null && outer.exitCode === null && outer.signalCode === null) {
      const closed = once(outer, 'exit')
      outer.kill('SIGKILL') // --kill-child takes systemd along, and that its namespace
      await closed
    }
    const clean = spawn('unshare', ['--mount', 'sh', script, 'clean', this.#folder], { stdio: 'ignore' })
    await once(clean, 'exit')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** What must be there, said once and clearly. */
function requireHost(): void {
  const kinds = readFileSync('/proc/filesystems', 'utf8')
  const missing = [
    ...(process.geteuid?.() === 0 ? [] : ['root']),
    ...(existsSync('/lib/systemd/systemd') ? [] : ['the Debian package systemd (bin/setup installs it)']),
    ...['overlay', 'cgroup2']
      .filter((kind) => !kinds.includes(`\t${kind}\n`))
      .map((kind) => `${kind} in this kernel`),
  ]
  if (missing.length > 0) throw new Error(`the tests of the systemd unit need: ${missing.join(', ')}`)
}

/** The only child of a process; 0: none yet. */
function findChild(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0] ?? 0)
  } catch {
    return 0
  }
}

function isSystemd(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'systemd'
  } catch {
    return false
  }
}
