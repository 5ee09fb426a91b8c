import type { BenchResult, Row } from '../result.js'
import { type Section, sectionsOf } from '../sections.js'
import { groupBy } from '../summary.js'
import { describeMachine } from '../table.js'
import { histogram } from './histogram.js'
import { lineChart, type Series } from './line-chart.js'
import { element, type Markup } from './markup.js'

const colours: Record<string, string> = {
  vhostkit: '#0b6e4f',
  'vhostkit-old': '#7fb69e',
  ovs: '#c44900',
  testpmd: '#2f5aa8',
  kernel: '#8a3ffc',
}

const style = [
  'body{font:15px/1.45 system-ui,sans-serif;max-width:75em;margin:2em auto;padding:0 1em;color:#222}',
  'table{border-collapse:collapse;margin:.5em 0 1.5em}',
  'th,td{border-bottom:1px solid #ddd;padding:.2em .7em;text-align:left;white-space:nowrap}',
  'svg{max-width:100%;height:auto;display:block;margin:1em 0}',
  'svg text{font:12px system-ui,sans-serif;fill:#333;stroke:none}',
  'svg .chart-title{font-size:14px;font-weight:600}',
  '.grid{stroke:#e4e4e4}.axis{stroke:#555}.bin{fill:#0b6e4f}.missing{color:#a02020}',
].join('')

/** The result as one page that needs nothing else: tables, and plots of what grows with the frame's size. */
export function renderPage(result: BenchResult, measured: string): string {
  const page = element(
    'html',
    { xmlns: 'http://www.w3.org/1999/xhtml', lang: 'en' },
    element(
      'head',
      {},
      element('meta', { charset: 'utf-8' }),
      element('meta', { name: 'viewport', content: 'width=device-width' }),
      element('title', {}, 'vhostkit bench'),
      element('style', {}, style),
    ),
    element(
      'body',
      {},
      element('h1', {}, 'vhostkit bench'),
      element('p', {}, `Measured ${measured}.`),
      list(describeMachine(result)),
      ...missing(result),
      ...chartsOf(result),
      ...outages(result),
      ...sectionsOf(result).map(table),
    ),
  )
  return `<!DOCTYPE html>\n${page.text}\n`
}

function list(lines: readonly string[]): Markup {
  return element('ul', {}, ...lines.map((line) => element('li', {}, line)))
}

function missing({ missing: entries }: BenchResult): Markup[] {
  if (entries.length === 0) return []
  const lines = entries.map(({ what, why }) => element('li', {}, `${what}: ${why}`))
  return [element('h2', {}, 'Left out'), element('ul', { class: 'missing' }, ...lines)]
}

/** Throughput and cycles for each workload and front end; taps stand beside our own guests. */
function chartsOf(result: BenchResult): Markup[] {
  const sized = result.rows.filter(({ workload }) => workload === 'vm-vm' || workload === 'one-way')
  const guests = ({ frontend }: Row) => (frontend === 'tap' ? 'ours' : frontend)
  return groupBy(sized, (row) => `${row.workload} ${guests(row)}`).flatMap((rows) => {
    const sizes = [...new Set(rows.map(({ size }) => size))].sort((a, b) => a - b)
    const where = `${rows[0].workload}, guests: ${guests(rows[0]) === 'ours' ? 'our own' : guests(rows[0])}`
    const floor = result.floor.filter(({ size }) => sizes.includes(size))
    const copies: Series = {
      name: 'plain copy',
      colour: '#888888',
      points: new Map(floor.map(({ size, cycles, min, max }) => [size, { median: cycles, min, max }])),
    }
    const unit = { mpps: 'M frames/s', cycles: 'cycles of the switch' }
    return [
      element('h2', {}, where),
      lineChart({
        title: `Throughput: ${where}`,
        unit: unit.mpps,
        sizes,
        series: seriesOf(rows, (row) => row.mpps),
      }),
      lineChart({
        title: `Cycles for each frame: ${where}`,
        unit: unit.cycles,
        sizes,
        series: [...seriesOf(rows, (row) => row.cycles_per_frame), copies],
      }),
    ]
  })
}

function seriesOf(rows: readonly Row[], figure: (row: Row) => Row['mpps']): Series[] {
  return groupBy(rows, ({ peer }) => peer).map((group) => ({
    name: group[0].peer,
    colour: colours[group[0].peer] ?? '#333333',
    points: new Map(group.map((row) => [row.size, figure(row)])),
  }))
}

function outages({ outage }: BenchResult): Markup[] {
  if (outage === undefined) return []
  return [
    element('h2', {}, 'Outage'),
    histogram(
      `Outages of ${outage.kills} kills: p50 ${outage.p50_ms} ms, p99 ${outage.p99_ms} ms`,
      'ms',
      outage.all_ms,
    ),
  ]
}

function table({ title, note, rows: [titles = [], ...rows] }: Section): Markup {
  return element(
    'section',
    {},
    element('h2', {}, title),
    element('p', {}, note),
    element(
      'table',
      {},
      element('tr', {}, ...titles.map((cell) => element('th', {}, cell))),
      ...rows.map((row) => element('tr', {}, ...row.map((cell) => element('td', {}, cell)))),
    ),
  )
}
