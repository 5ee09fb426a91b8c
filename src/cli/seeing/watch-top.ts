import { SwitchClient } from '../../drivers/switch/client.js'
import { readSample, type Sample } from '../../drivers/switch/sample.js'
import { type View, viewOf } from './rates.js'
import type { Screen } from './screen.js'
import { type Sort, showTop } from './show-top.js'

export interface TopWatch {
  control: string
  intervalMs: number
  sort: Sort
  color: boolean
  screen: Screen
  signal: AbortSignal
}

const footer = 'q quit   sort: n name  r rx  t tx  d drops   arrows, page keys: scroll'

const sortKeys: Record<string, Sort> = { n: 'name', r: 'rx', t: 'tx', d: 'drops' }
const scrollKeys: Record<string, number> = {
  '\x1b[A': -1,
  k: -1,
  '\x1b[B': 1,
  j: 1,
  '\x1b[5~': -10,
  '\x1b[6~': 10,
}

/** Draws until `q`, Ctrl-C or the signal. A switch that is away is waited for, and said to be. */
export async function watchTop(watch: TopWatch): Promise<void> {
  const { screen, signal } = watch
  const state = { sort: watch.sort, scroll: 0, view: null as View | null, away: null as string | null }
  const draw = () => {
    const { width, height } = screen.size()
    const { sort, view, away } = state
    if (view === null) return screen.draw([away ?? 'Asking the switch …'])
    state.scroll = Math.max(0, Math.min(state.scroll, view.ports.length - 1))
    const line = away === null ? footer : `q quit   ${away}`
    screen.draw(
      showTop(view, { width, height, sort, scroll: state.scroll, color: watch.color, footer: line }),
    )
  }
  const sampling = sampleAgain(watch, (view, away) => {
    if (view !== null) state.view = view
    state.away = away
    draw()
  })
  draw()
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    screen.onInput((key) => {
      if (key === 'q' || key === '\x03') return resolve()
      state.sort = sortKeys[key] ?? state.sort
      state.scroll += scrollKeys[key] ?? 0
      draw()
    })
  })
  sampling.stop()
}

/** Samples now and every interval, on one connection as long as it lasts. */
function sampleAgain(
  { control, intervalMs }: TopWatch,
  tell: (view: View | null, away: string | null) => void,
): { stop(): void } {
  let client: SwitchClient | null = null
  let before: Sample | null = null
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  const look = async () => {
    try {
      client ??= await SwitchClient.connect(control)
      const now = await readSample(client)
      if (!stopped) tell(viewOf(before, now), null)
      before = now
    } catch (error) {
      client?.close()
      client = null
      if (!stopped) tell(null, error instanceof Error ? error.message : String(error))
    }
    if (stopped) client?.close()
    else timer = setTimeout(look, intervalMs)
  }
  void look()
  return {
    stop: () => {
      stopped = true
      clearTimeout(timer)
      client?.close()
    },
  }
}
