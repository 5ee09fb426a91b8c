import type { MachineArtifact } from '../../core/render/artifacts.js'
import { gib, parseSize } from '../../core/spec/size.js'
import { readTail, removeFile } from '../../world/files.js'
import type { DetachedProgram } from '../../world/run-program.js'
import { startLogged } from '../../world/start-logged.js'
import { pause, waitFor } from '../../world/wait-for.js'
import { endProcesses } from '../end-processes.js'
import { shareSockets } from '../host/machine-folder.js'
import { readRunningPid, writePidFile } from './pid-file.js'
import { QmpClient } from './qmp.js'
import { startFailure } from './start-failure.js'

/** QEMU greets within this unless it waits for the switch or takes long to touch its memory. */
const greetingLimitMs = 3_000
/** As libvirt's: who is let into the machine's folder by its group may connect, too. */
const socketUmask = 0o002
/** Pages touched one by one (prealloc): about 1 s per GiB on a slow host, doubled. */
const msPerGib = 2_000

/**
 * Starts QEMU and waits until its monitor answers. Its ports were registered
 * in the switch before, so it finds a peer at once; whatever goes wrong, no
 * QEMU is left hanging and one error says why.
 */
export async function startMachine(machine: MachineArtifact, signal?: AbortSignal): Promise<void> {
  if ((await readRunningPid(machine.pidFile, machine.qmpSocket)) !== null) return
  await removeFile(machine.log)
  const child = await startLogged(pinned(machine), machine.log, { umask: socketUmask })
  try {
    await writePidFile(machine.pidFile, child.pid)
    const monitor = await waitForMonitor(machine, child, signal)
    monitor.close()
  } catch (error) {
    await endProcesses([child.pid], 0)
    await removeFile(machine.pidFile)
    if (signal?.aborted) throw error
    // The last words come a moment after the end.
    await pause(20)
    // Its log goes with the folder when the start is undone.
    throw startFailure(machine.name, describe(child, error), await readTail(machine.log))
  }
}

/** taskset becomes QEMU (exec), so the pid stays; the vCPU threads inherit the CPUs. */
function pinned({ argv, hostCpus }: MachineArtifact): string[] {
  return hostCpus.length === 0 ? argv : ['taskset', '--cpu-list', hostCpus.join(','), ...argv]
}

async function waitForMonitor(
  machine: MachineArtifact,
  child: DetachedProgram,
  signal?: AbortSignal,
): Promise<QmpClient> {
  const limitMs = greetingLimitMs + memoryGib(machine.argv) * msPerGib
  const what = `QEMU's monitor of ${machine.name}`
  return waitFor({ what, limitMs, everyMs: 30, signal }, async () => {
    if (child.ended() !== null) throw new Error('QEMU ended at once')
    // QEMU greets only when the switch has connected.
    await shareSockets(vhostSockets(machine.argv))
    // The socket is there before QEMU listens on it, so a refused connect is no verdict.
    return QmpClient.connect(machine.qmpSocket, limitMs, signal).catch(() => null)
  })
}

/** The sockets on which QEMU waits for the switch. */
export function vhostSockets(argv: readonly string[]): string[] {
  const backends = argv.flatMap((word) => /^vhost-user,.*\bchardev=([^,]+)/.exec(word)?.[1] ?? [])
  const chardevs = argv.map((word) => /^socket,id=([^,]+),path=((?:[^,]|,,)+)/.exec(word))
  return chardevs.flatMap((found) =>
    found !== null && backends.includes(found[1] ?? '') ? [(found[2] ?? '').replaceAll(',,', ',')] : [],
  )
}

function memoryGib(argv: readonly string[]): number {
  return (parseSize(argv[argv.indexOf('-m') + 1] ?? '') ?? 0) / gib
}

function describe(child: DetachedProgram, error: unknown): string {
  const ended = child.ended()
  if (ended === null) return error instanceof Error ? error.message : String(error)
  return `QEMU ended with ${ended.signal ?? `exit code ${ended.exitCode}`}.`
}
