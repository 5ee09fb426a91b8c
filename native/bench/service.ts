import { VhostkitError } from '../../src/core/errors.js'
import { endProcesses } from '../../src/drivers/end-processes.js'
import { readTail } from '../../src/world/files.js'
import { sendSignal } from '../../src/world/processes.js'
import { startLogged } from '../../src/world/start-logged.js'
import { WaitedTooLong, waitFor } from '../../src/world/wait-for.js'
import type { Belongings } from './belongings.js'

export interface Service {
  pid: number
  suspend(): void
  resume(): void
}

export interface ServiceOptions {
  name: string
  argv: readonly string[]
  log: string
  limitMs: number
  /** How often it is asked whether it is ready; every 20 ms unless told. */
  everyMs?: number
  ready(): Promise<boolean>
  belongings: Belongings
  signal: AbortSignal
}

/** Starts a program that serves on a socket, waits until it does, and notes how to end it. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { name, argv, log, limitMs, everyMs = 20, ready, belongings, signal } = options
  const child = await startLogged(argv, log)
  belongings.add(name, async () => {
    sendSignal(child.pid, 'SIGCONT')
    await endProcesses([child.pid], 0)
  })
  const failed = async (why: string) =>
    new VhostkitError('program-failed', {
      sentence: `${name} ${why}. Its log ends: ${await readTail(log, 400)}`,
    })
  try {
    await waitFor({ what: `${name} to be ready`, limitMs, everyMs, signal }, async () => {
      if (child.ended() !== null) throw await failed('ended at once')
      return ready()
    })
  } catch (error) {
    if (error instanceof WaitedTooLong) throw await failed(`was not ready within ${limitMs / 1000} s`)
    throw error
  }
  return {
    pid: child.pid,
    suspend: () => void sendSignal(child.pid, 'SIGSTOP'),
    resume: () => void sendSignal(child.pid, 'SIGCONT'),
  }
}
