import { cutText, wrapText } from '../../core/render/show-table.js'
import type { WorkerInfo } from '../../drivers/switch/protocol.js'
import { type Cell, type Column, fitColumns } from '../columns.js'
import { showCount } from '../show-count.js'
import type { Flow, PortView, View } from './rates.js'
import { showShort, showTime } from './show-number.js'

export const sorts = ['name', 'rx', 'tx', 'drops'] as const
export type Sort = (typeof sorts)[number]

export interface TopOptions {
  width: number
  /** Lines there are; null: as many as it takes. */
  height: number | null
  sort: Sort
  /** Ports that are scrolled away at the top. */
  scroll: number
  color: boolean
  /** In the last line, as what keys there are. */
  footer: string | null
}

/** The screen of `vhostkit top`, line by line. */
export function showTop(view: View, options: TopOptions): string[] {
  const { width, height, sort, scroll, footer } = options
  const head = [
    ...headLines(view).flatMap((line) => foldPhrases(line, width)),
    '',
    ...workerLines(view, options),
    '',
  ]
  const [heading = '', ...ports] = portLines(view, sort, options)
  const room = height === null ? ports.length : height - head.length - 1 - (footer === null ? 0 : 1)
  const shown = Math.max(0, ports.length > room ? room - 1 : room)
  const from = Math.max(0, Math.min(scroll, ports.length - shown))
  const left = ports.length - Math.min(shown, ports.length)
  const lines = [
    ...head,
    heading,
    ...ports.slice(from, from + shown),
    ...(left > 0 ? [cutText(`… ${left} of ${ports.length} ports not shown`, width)] : []),
  ]
  const all = footer === null ? lines : [...lines, cutText(footer, width)]
  return height === null ? all : all.slice(0, height)
}

/** What stands two blanks apart may stand on lines of its own, and is never cut. */
function foldPhrases(line: string, width: number): string[] {
  const lines: string[] = []
  for (const phrase of line.split('  ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 2 + phrase.length <= width) {
      lines[lines.length - 1] = `${last}  ${phrase}`
    } else lines.push(...wrapText(phrase, width))
  }
  return lines
}

function headLines(view: View): string[] {
  const { version, pid, starts, uptime_ms, networks } = view.switch
  const sum = (pick: (port: PortView) => number) => view.ports.reduce((total, port) => total + pick(port), 0)
  const drops = sum((port) => dropRate(port))
  const flows =
    view.seconds === null
      ? 'rates with the next sample'
      : `${showShort(sum(({ rx }) => rx?.frames_per_s ?? 0))} frames/s, ${showShort(sum(({ rx }) => rx?.bits_per_s ?? 0))}bit/s in, ${showShort(drops)} dropped/s`
  return [
    `vhostkit-switch ${version}  up ${showTime(uptime_ms)}  pid ${pid}  start ${starts}`,
    `${flows}  ${showCount(view.ports.length, 'port')}${notUp(view.ports)}, ${showCount(networks, 'network')}`,
    ...nodeLine(view),
  ]
}

/** " (1 BROKEN, 2 waiting)"; nothing when all are up. */
function notUp(ports: PortView[]): string {
  const parts = (['broken', 'waiting', 'connected'] as const).flatMap((state) => {
    const number = ports.filter((port) => port.state === state).length
    return number === 0 ? [] : [`${number} ${state === 'broken' ? 'BROKEN' : state}`]
  })
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}

/** Only where nodes are known; a port that is served from afar is what one looks for. */
function nodeLine({ workers, ports }: View): string[] {
  const nodes = [...new Set([...workers, ...ports].map(({ node }) => node ?? -1))].filter((node) => node >= 0)
  if (nodes.length === 0) return []
  const parts = nodes
    .sort((a, b) => a - b)
    .map((node) => {
      const there = (rows: { node: number | null }[]) => rows.filter((row) => row.node === node).length
      return `node ${node}: ${showCount(there(workers), 'worker')}, ${showCount(there(ports), 'guest')}`
    })
  const far = ports.filter(({ remote_queues }) => remote_queues > 0).map(({ name }) => name)
  return [[...(far.length > 0 ? [`WRONG NODE: ${far.join(', ')}`] : []), ...parts].join('  ')]
}

const workerColumns: Column<WorkerInfo>[] = [
  { title: 'WORKER', cell: ({ id }) => String(id), right: true, rank: 1 },
  {
    title: 'LOAD',
    cell: ({ load }) => `${(load / 10).toFixed(1)} %`,
    right: true,
    rank: 2,
    loud: ({ load }) => load > 900,
  },
  { title: '', cell: ({ load }) => showBar(load, 20), rank: 3 },
  { title: 'CORE', cell: ({ core }) => (core < 0 ? '-' : String(core)), right: true, rank: 4 },
  { title: 'NODE', cell: ({ node }) => (node < 0 ? '-' : String(node)), right: true, rank: 5 },
  { title: 'STATE', cell: ({ state }) => state, rank: 6 },
  { title: 'QUEUES', cell: ({ queues }) => String(queues.length), right: true, rank: 7 },
]

function workerLines(view: View, options: TopOptions): string[] {
  return paint(fitColumns(workerColumns, view.workers, options.width), options.color)
}

const portColumns: Column<PortView>[] = [
  { title: 'PORT', cell: ({ name }) => name, rank: 1, least: 10, cut: 'middle' },
  { title: 'NETWORK', cell: ({ network }) => network, rank: 9, least: 8 },
  { title: 'STATE', cell: ({ state }) => state, rank: 5, loud: ({ state }) => state === 'broken' },
  {
    title: 'NODE',
    cell: ({ node }) => (node === null ? '-' : String(node)),
    right: true,
    rank: 10,
    loud: ({ remote_queues }) => remote_queues > 0,
  },
  { title: 'RX/s', cell: ({ rx }) => showFrames(rx), right: true, rank: 2 },
  { title: 'bit/s', cell: ({ rx }) => showBits(rx), right: true, rank: 6 },
  { title: 'TX/s', cell: ({ tx }) => showFrames(tx), right: true, rank: 3 },
  { title: 'bit/s', cell: ({ tx }) => showBits(tx), right: true, rank: 7 },
  { title: 'DROP/s', cell: showDropRate, right: true, rank: 4, loud: (port) => dropRate(port) > 0 },
  { title: 'DROPS BY REASON', cell: showReasons, rank: 8, least: 15 },
]

function portLines(view: View, sort: Sort, options: TopOptions): string[] {
  // Whatever the order: what is broken must not be scrolled away.
  const sorted = [...view.ports].sort(
    (a, b) =>
      Number(b.state === 'broken') - Number(a.state === 'broken') ||
      weight(b, sort) - weight(a, sort) ||
      a.name.localeCompare(b.name, 'en', { numeric: true }),
  )
  return paint(fitColumns(portColumns, sorted, options.width), options.color)
}

function weight(port: PortView, sort: Sort): number {
  if (sort === 'rx' || sort === 'tx') return port[sort]?.frames_per_s ?? 0
  return sort === 'drops' ? dropRate(port) : 0
}

function dropRate({ drops_per_s }: PortView): number {
  return Object.values(drops_per_s).reduce((total, one) => total + one, 0)
}

function showDropRate(port: PortView): string {
  return port.rx === null ? '-' : showShort(dropRate(port))
}

/** What grows now, with its rate; else what there was since the port is there. */
function showReasons({ drops_per_s, drops }: PortView): string {
  const now = Object.entries(drops_per_s).sort(([, a], [, b]) => b - a)
  if (now.length > 0) return now.map(([reason, rate]) => `${reason} ${showShort(rate)}/s`).join(', ')
  const before = Object.entries(drops).sort(([, a], [, b]) => b - a)
  return before.map(([reason, total]) => `${reason} ${showShort(total)}`).join(', ')
}

function showFrames(flow: Flow | null): string {
  return flow === null ? '-' : showShort(flow.frames_per_s)
}

function showBits(flow: Flow | null): string {
  return flow === null ? '-' : showShort(flow.bits_per_s)
}

function showBar(load: number, width: number): string {
  const full = Math.min(width, Math.round((load * width) / 1000))
  return '#'.repeat(full).padEnd(width, '.')
}

/** The heading in reverse, trouble in bold red. */
function paint([heading = [], ...rows]: Cell[][], color: boolean): string[] {
  const line = (cells: Cell[]) =>
    cells.map(({ text, loud }) => (loud && color ? `\x1b[1;31m${text}\x1b[0m` : text)).join('  ')
  const title = line(heading)
  return [color ? `\x1b[7m${title}\x1b[0m` : title.trimEnd(), ...rows.map((row) => line(row).trimEnd())]
}
