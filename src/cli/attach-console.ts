import type { Socket } from 'node:net'

/** Ctrl-], as with telnet and virsh. */
const detachByte = 0x1d
/** Without a terminal: how long the machine may be silent after the input has ended. */
const silenceMs = 1_000
/** How much of what was said is kept, to be searched and for `--json`. */
const keptCharacters = 256 * 1024

export interface Attachment {
  console: Socket
  input: NodeJS.ReadStream
  /** Hears what the machine says, as it comes. */
  output(bytes: Buffer): void
  until: RegExp | null
  /** What the machine said before. */
  before: string
  /** null: as long as it takes. */
  limitMs: number | null
  signal: AbortSignal
}

/** How it came to an end, and the last of what was said. */
export interface Detached {
  ended: 'detached' | 'input-ended' | 'matched' | 'time' | 'machine-ended'
  said: string
}

/** Passes bytes both ways until one side ends or what was waited for is said. The terminal is as before afterwards. */
export async function attachConsole(attachment: Attachment): Promise<Detached> {
  const { console: socket, input, output, until, before, limitMs, signal } = attachment
  const timers = new Set<NodeJS.Timeout>()
  const isTerminal = input.isTTY === true
  let said = before.slice(-keptCharacters)
  const isSaid = () => until?.test(said.replaceAll('\r', '')) === true
  if (isSaid()) {
    socket.destroy()
    return { ended: 'matched', said }
  }
  try {
    const ended = await new Promise<Detached['ended']>((resolve) => {
      const after = (ms: number, why: Detached['ended']) => timers.add(setTimeout(resolve, ms, why))
      let silence: NodeJS.Timeout | null = null
      socket.on('data', (bytes: Buffer) => {
        output(bytes)
        said = (said + bytes.toString('utf8')).slice(-keptCharacters)
        silence?.refresh()
        if (isSaid()) resolve('matched')
      })
      socket.on('error', () => resolve('machine-ended'))
      socket.on('close', () => resolve('machine-ended'))
      input.on('data', (bytes: Buffer) => {
        const end = isTerminal ? bytes.indexOf(detachByte) : -1
        socket.write(end < 0 ? bytes : bytes.subarray(0, end))
        if (end >= 0) resolve('detached')
      })
      input.on('end', () => {
        if (until !== null || limitMs !== null) return
        silence = setTimeout(resolve, silenceMs, 'input-ended')
        timers.add(silence)
      })
      input.on('error', () => resolve('input-ended'))
      signal.addEventListener('abort', () => resolve('detached'), { once: true })
      if (limitMs !== null) after(limitMs, 'time')
      if (isTerminal) input.setRawMode(true)
      input.resume()
    })
    return { ended, said }
  } finally {
    for (const timer of timers) clearTimeout(timer)
    if (isTerminal) input.setRawMode(false)
    input.destroy()
    socket.destroy()
  }
}
