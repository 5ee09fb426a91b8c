/** A terminal that is ours for a while: what was on it comes back, however we end. */
export interface Screen {
  size(): { width: number; height: number }
  draw(lines: string[]): void
  /** Hears keys, as the terminal sends them, and that its size changed (""). */
  onInput(listener: (key: string) => void): void
  close(): void
}

const enter = '\x1b[?1049h\x1b[?25l'
const leave = '\x1b[?25h\x1b[?1049l'

export function openScreen(input: NodeJS.ReadStream, output: NodeJS.WriteStream): Screen {
  let open = true
  const listeners: ((key: string) => void)[] = []
  const tell = (key: string) => {
    for (const listener of listeners) listener(key)
  }
  const onData = (data: Buffer | string) => tell(data.toString())
  const onResize = () => tell('')
  const close = () => {
    if (!open) return
    open = false
    process.off('exit', close)
    input.off('data', onData)
    output.off('resize', onResize)
    if (input.isTTY) input.setRawMode(false)
    input.pause()
    output.write(leave)
  }
  process.on('exit', close)
  if (input.isTTY) input.setRawMode(true)
  input.on('data', onData).resume()
  output.on('resize', onResize)
  output.write(enter)
  return {
    size: () => ({ width: output.columns || 80, height: output.rows || 24 }),
    draw: (lines) => void output.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`),
    onInput: (listener) => void listeners.push(listener),
    close,
  }
}
