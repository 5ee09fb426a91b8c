import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { guestCmdline } from '../../src/demo/guest/cmdline.js'
import type { GuestImage } from '../../src/demo/guest/guest.js'
import { GuestSession } from '../../src/demo/guest/guest-session.js'
import { QmpClient } from '../../src/drivers/qemu/qmp.js'
import { askSwitch } from '../../src/drivers/switch/client.js'
import { exists } from '../../src/world/files.js'
import { waitFor } from '../../src/world/wait-for.js'
import { testFolderPrefix } from './host-state.js'

const memoryBytes = 128 * 1024 * 1024
const pageBytes = 4096

export interface MachineWish {
  name: string
  address: string
  mac: string
  queues: number
  /** Extra properties of the card. */
  card: string
  /** Waits for a migration: running once it came, or paused so that memory can be compared. */
  incoming?: 'run' | 'pause'
}

/** A real QEMU whose memory is a file that can be read beside it. */
export interface Machine {
  wish: MachineWish
  process: ChildProcess
  qmp: QmpClient
  memory: string
  console: string
}

/** A switch and QEMUs of a test's own, without the CLI: a migration has two processes for one machine. */
export class MigrationRig {
  readonly folder = mkdtempSync(join(tmpdir(), testFolderPrefix.slice(1)))
  readonly #memory = mkdtempSync(`/dev/shm${testFolderPrefix}`)
  readonly #control = join(this.folder, 'control')
  readonly #processes: ChildProcess[] = []
  readonly #abort = new AbortController()

  static async start(program: string, skipLog = 0): Promise<MigrationRig> {
    const rig = new MigrationRig()
    rig.#spawn(program, ['--control', rig.#control, '--state', join(rig.folder, 'state')], {
      VHOSTKIT_SKIP_LOG: String(skipLog),
    })
    const what = { what: 'the switch to answer', limitMs: 10_000 }
    await waitFor(what, async () => askSwitch(rig.#control, 'port.list').catch(() => null))
    return rig
  }

  /** The port first: QEMU blocks until the switch connects. */
  async machine(wish: MachineWish, image: GuestImage): Promise<Machine> {
    const path = (end: string) => join(this.folder, `${wish.name}.${end}`)
    const memory = join(this.#memory, wish.name)
    const port = { name: wish.name, kind: 'vhost-user', network: 'lan', socket: path('sock') }
    await askSwitch(this.#control, 'port.add', { ...port, queues: wish.queues, policy: { macs: [wish.mac] } })
    const { queues, mac, card } = wish
    const backend = `memory-backend-file,id=m0,size=${memoryBytes},mem-path=${memory},share=on`
    // One thread: with a thread a CPU, QEMU 7.2 misses pages that the guest's CPUs wrote themselves (seen in 2 of 5
    // migrations: the kernel's clock and random state), which is nothing that a switch could log.
    const process = this.#spawn('qemu-system-x86_64', [
      ...['-M', 'pc,memory-backend=m0', '-accel', 'tcg,thread=single', '-m', '128', '-smp', String(queues)],
      ...['-object', backend, '-nodefaults', '-no-user-config', '-display', 'none'],
      ...['-kernel', image.kernel, '-initrd', image.initrd, '-append'],
      `${guestCmdline} vhostkit.ip=${wish.address}/24`,
      ...['-serial', `unix:${path('console')},server=on,wait=off`],
      ...['-qmp', `unix:${path('qmp')},server=on,wait=off`],
      ...['-chardev', `socket,id=c0,path=${path('sock')},server=on`],
      ...['-netdev', `vhost-user,id=n0,chardev=c0,queues=${queues}`],
      // QEMU 7.2 under TCG crashes with MSI-X on such a card.
      ...[
        '-device',
        `virtio-net-pci,netdev=n0,mac=${mac},mq=${queues > 1 ? 'on' : 'off'},vectors=0,romfile=,${card}`,
      ],
      ...(wish.incoming === undefined ? [] : ['-incoming', 'defer']),
      ...(wish.incoming === 'pause' ? ['-S'] : []),
    ])
    const what = { what: `the monitor of ${wish.name}`, limitMs: 20_000 }
    const qmp = await waitFor(what, async () =>
      (await exists(path('qmp'))) ? QmpClient.connect(path('qmp'), 10_000).catch(() => null) : null,
    )
    return { wish, process, qmp, memory, console: path('console') }
  }

  session(machine: Machine): Promise<GuestSession> {
    return GuestSession.connect(machine.wish.name, machine.console, this.#abort.signal)
  }

  /** Moves the machine; ends when QEMU says so on both sides. Returns what QEMU calls the downtime. */
  async migrate(from: Machine, to: Machine): Promise<number> {
    const uri = `unix:${join(this.folder, `${to.wish.name}.migration`)}`
    await to.qmp.call('migrate-incoming', { uri })
    await from.qmp.call('migrate', { uri })
    const what = { what: `the migration to ${to.wish.name}`, limitMs: 60_000 }
    const done = await waitFor(what, async () => {
      const info = await from.qmp.call<{ status: string; downtime?: number }>('query-migrate')
      if (info.status === 'failed') throw new Error(`migration failed: ${JSON.stringify(info)}`)
      return info.status === 'completed' ? info : null
    })
    await waitFor({ what: `${to.wish.name} to be there`, limitMs: 20_000 }, async () => {
      const { status } = await to.qmp.call<{ status: string }>('query-status')
      return status === (to.wish.incoming === 'pause' ? 'paused' : 'running') || null
    })
    return done.downtime ?? 0
  }

  /** Where the switch believes an address to be. */
  async portOf(mac: string): Promise<string | undefined> {
    const { macs } = await askSwitch(this.#control, 'mac.list', { network: 'lan' })
    return macs.find((entry) => entry.mac === mac)?.port
  }

  async retire({ wish, process, qmp }: Machine): Promise<void> {
    qmp.close()
    await endProcess(process)
    await askSwitch(this.#control, 'port.del', { name: wish.name })
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    for (const process of this.#processes.reverse()) await endProcess(process)
    for (const folder of [this.folder, this.#memory]) rmSync(folder, { recursive: true, force: true })
  }

  #spawn(program: string, args: string[], env: Record<string, string> = {}): ChildProcess {
    const log = openSync(join(this.folder, `${this.#processes.length}.log`), 'w')
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', log, log] })
    closeSync(log)
    this.#processes.push(child)
    return child
  }
}

/**
 * Numbers of the pages in which two stopped machines differ: those that hold a frame that begins with `start` in either
 * (the switch wrote it), and the others (the guest's own processors did).
 */
export function differingPages(
  one: Machine,
  two: Machine,
  start: Buffer,
): { frames: number[]; others: number[] } {
  const chunk = 1024 * 1024
  const files = [one, two].map(({ memory }) => openSync(memory, 'r'))
  const [left, right] = [Buffer.alloc(chunk), Buffer.alloc(chunk)]
  const found: { frames: number[]; others: number[] } = { frames: [], others: [] }
  for (let at = 0; at < memoryBytes; at += chunk) {
    readSync(files[0] ?? -1, left, 0, chunk, at)
    readSync(files[1] ?? -1, right, 0, chunk, at)
    for (let page = 0; page < chunk; page += pageBytes) {
      const [old, moved] = [left, right].map((all) => all.subarray(page, page + pageBytes)) as [
        Buffer,
        Buffer,
      ]
      if (old.equals(moved)) continue
      const list = old.includes(start) || moved.includes(start) ? found.frames : found.others
      list.push((at + page) / pageBytes)
    }
  }
  for (const file of files) closeSync(file)
  return found
}

async function endProcess(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return
  const ended = once(process, 'exit')
  process.kill('SIGTERM')
  await ended
}
