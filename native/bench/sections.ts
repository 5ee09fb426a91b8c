import { showSpread } from './columns.js'
import type { BenchResult, Row } from './result.js'

/** One table of a result, for text and for the report alike. */
export interface Section {
  title: string
  note: string
  /** The first row has the titles of the columns. */
  rows: string[][]
}

/** All that was measured, as tables; what was not asked for has none. */
export function sectionsOf(result: BenchResult): Section[] {
  return [
    throughput(result),
    floor(result),
    crossing(result),
    growth(result),
    latency(result),
    wake(result),
    quiet(result),
    outage(result),
  ].filter(({ rows }) => rows.length > 1)
}

function throughput(result: BenchResult): Section {
  const titles = ['workload', 'guests', 'bytes', 'ports', 'addresses', 'switch', 'M frames/s']
  const rows = result.rows.map((row) => [
    row.workload,
    row.frontend,
    `${row.size}`,
    `${row.ports}`,
    `${row.addresses}`,
    row.peer,
    showSpread(row.mpps, row.mpps.median < 1 ? 3 : 2),
    showSpread(row.cycles_per_frame, 0),
    `${Math.round(row.busy * 100)} %`,
    showRatio(result, row),
    row.generator_cycles === null ? '' : row.generator_cycles.toFixed(0),
  ])
  return {
    title: 'Throughput',
    note: 'Medians (min–max); "vhostkit is" compares run by run; addresses are those behind each port; own cycles are the generator\'s.',
    rows: [[...titles, 'cycles/frame', 'busy', 'vhostkit is', 'own cycles'], ...rows],
  }
}

function showRatio(result: BenchResult, row: Row): string {
  if (row.ports !== 2 || row.addresses !== 1) return ''
  const found = result.ratios.find(
    ({ peer, frontend, workload, size }) =>
      peer === row.peer && frontend === row.frontend && workload === row.workload && size === row.size,
  )
  return found === undefined ? '' : `${found.mpps.median.toFixed(2)} ×`
}

function floor({ floor: rows }: BenchResult): Section {
  return {
    title: 'Floor',
    note: 'A plain copy of a frame between buffers laid out as the guests have them.',
    rows: [
      ['bytes', 'cycles of a plain copy'],
      ...rows.map((row) => [`${row.size}`, showSpread({ ...row, median: row.cycles }, 0)]),
    ],
  }
}

function crossing({ crossing: figures }: BenchResult): Section {
  return {
    title: 'From core to core',
    note: "How long a cache line takes from the guests' core to the switch's, before and after each measurement.",
    rows: [
      ['nanoseconds', 'rounds measured again'],
      ...(figures === undefined ? [] : [[showSpread(figures.ns, 0), `${figures.repeated}`]]),
    ],
  }
}

function growth({ growth: rows = [] }: BenchResult): Section {
  return {
    title: 'Growth',
    note: 'Cycles of a frame of 64 bytes, for each cycle with two ports and one address behind each, run by run.',
    rows: [
      ['workload', 'switch', 'ports', 'addresses a port', 'cycles'],
      ...rows.map((row) => [
        row.workload,
        row.peer,
        `${row.ports}`,
        `${row.addresses}`,
        `${showSpread(row.cycles, 2)} ×`,
      ]),
    ],
  }
}

function latency({ latency: rows = [] }: BenchResult): Section {
  return {
    title: 'Latency',
    note: 'From one guest to the other, in microseconds. Unseen frames were not timed, as the generator itself was held up.',
    rows: [
      ['load', 'switch', 'frames/s', 'p50', 'p99', 'p99.9', 'lost', 'unseen', 'of'],
      ...rows.map((row) => [
        row.load,
        row.peer,
        `${row.rate}`,
        showSpread(row.p50_us, 1),
        showSpread(row.p99_us, 1),
        showSpread(row.p999_us, 1),
        `${row.lost}`,
        `${row.unseen}`,
        `${row.frames}`,
      ]),
    ],
  }
}

function wake({ wake_floor: figures }: BenchResult): Section {
  const rows =
    figures === undefined
      ? []
      : [[showSpread(figures.p50_us, 1), showSpread(figures.p99_us, 1), showSpread(figures.p999_us, 1)]]
  return {
    title: 'Waking a thread',
    note: 'A thread asleep on the other core, woken by an eventfd, without any switch; microseconds.',
    rows: [['p50', 'p99', 'p99.9'], ...rows],
  }
}

function quiet({ quiet: figures }: BenchResult): Section {
  const rows =
    figures === undefined
      ? []
      : [
          [`CPU with ${figures.ports} quiet ports`, `${showSpread(figures.cpu_percent, 2)} % of a core`],
          ['memory beyond that of the guests', `${showSpread(figures.rss_mb, 1)} MB`],
          ['start until it answers', `${showSpread(figures.start_ms, 1)} ms`],
          [`the same with ${figures.ports} ports`, `${showSpread(figures.restart_ms, 1)} ms`],
        ]
  return { title: 'Quiet', note: 'vhostkit, when nothing moves.', rows: [['what', 'figure'], ...rows] }
}

function outage({ outage: figures }: BenchResult): Section {
  const rows =
    figures === undefined ? [] : [[figures.kills, figures.p50_ms, figures.p99_ms, figures.max_ms].map(String)]
  return {
    title: 'Outage',
    note: 'The longest time without a frame of either guest when vhostkit is killed under load; milliseconds.',
    rows: [['kills', 'p50', 'p99', 'longest'], ...rows],
  }
}
