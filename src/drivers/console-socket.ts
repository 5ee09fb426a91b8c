import { connect, type Socket } from 'node:net'
import { VhostkitError } from '../core/errors.js'
import { readText } from '../world/files.js'
import { WaitedTooLong, waitFor, withLimit } from '../world/wait-for.js'

const connectLimitMs = 2_000
/** QEMU takes a connection at once, unless its main loop is held up by a busy host. */
const takenLimitMs = 5_000
/** /proc/net/unix has a line of some 60 bytes for every socket of the host. */
const tableLimitBytes = 64 * 1024 * 1024

/** How many connections to a socket are served, and how many wait for that. */
export interface SocketUse {
  served: number
  waiting: number
}

/** The use of one path in the text of /proc/net/unix: a listener, and a line for each of its connections. */
export function parseSocketUse(text: string, path: string): SocketUse {
  const states = text.split('\n').flatMap((line) => {
    const match = /^\S+ \S+ \S+ \S+ \S+ (\d\d) +\d+ (.*)$/.exec(line)
    return match?.[2] === path ? [match[1]] : []
  })
  // The kernel's names: SS_CONNECTED is 03; SS_CONNECTING, until it was accepted, 02.
  const count = (state: string) => states.filter((one) => one === state).length
  return { served: count('03'), waiting: count('02') }
}

async function readSocketUse(path: string): Promise<SocketUse> {
  return parseSocketUse((await readText('/proc/net/unix', tableLimitBytes)) ?? '', path)
}

/**
 * A connection to the serial console of a machine. QEMU serves one at a time and
 * lets others wait without a word, so who is attached is read from the kernel,
 * before and, since two may come at once, after.
 */
export async function openConsole(machine: string, path: string, signal: AbortSignal): Promise<Socket> {
  if ((await readSocketUse(path)).served > 0) throw busy(machine)
  const socket = connect(path)
  try {
    const opened = new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    await withLimit(`the console of ${machine}`, connectLimitMs, opened, signal)
    const what = `QEMU to take the connection to the console of ${machine}`
    await waitFor(
      { what, limitMs: takenLimitMs, signal },
      async () => (await readSocketUse(path)).waiting === 0,
    )
    return socket
  } catch (error) {
    socket.destroy()
    if (error instanceof WaitedTooLong) throw busy(machine)
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ECONNREFUSED') throw error
    throw new VhostkitError('console-failed', {
      sentence: `The machine ${machine} does not run: nobody listens on ${path}.`,
      hint: 'Start it with `vhostkit start`.',
    })
  }
}

function busy(machine: string): VhostkitError {
  return new VhostkitError('console-busy', {
    sentence: `Somebody else is attached to the console of ${machine}.`,
  })
}
