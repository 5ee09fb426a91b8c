import { line, text } from './line-chart.js'
import { element, type Markup } from './markup.js'

export interface Bin {
  from: number
  to: number
  count: number
}

const width = 720
const height = 300
const plot = { left: 64, right: 690, top: 40, bottom: 240 }
const binsMost = 30

/** Values counted in steps of a round width, at most thirty of them, from zero. */
export function binsOf(values: readonly number[]): Bin[] {
  const most = Math.max(0, ...values)
  const unit = 10 ** Math.floor(Math.log10(Math.max(most, 1e-6) / binsMost))
  const step = unit * ([1, 2, 5, 10].find((factor) => (most * 1.0001) / (unit * factor) <= binsMost) ?? 10)
  const count = Math.floor(most / step) + 1
  const bins = Array.from({ length: count }, (_, at) => ({
    from: Number((at * step).toPrecision(6)),
    to: Number(((at + 1) * step).toPrecision(6)),
    count: 0,
  }))
  for (const value of values) {
    const bin = bins[Math.min(count - 1, Math.floor(value / step))]
    if (bin !== undefined) bin.count++
  }
  return bins
}

export function histogram(title: string, unit: string, values: readonly number[]): Markup {
  const bins = binsOf(values)
  const tallest = Math.max(1, ...bins.map(({ count }) => count))
  const step = (plot.right - plot.left) / bins.length
  const y = (count: number) => plot.bottom - ((plot.bottom - plot.top) * count) / tallest
  const labels = bins.filter((_, at) => at % Math.ceil(bins.length / 10) === 0)
  return element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' },
    element('title', {}, title),
    text(plot.left, 20, title, { class: 'chart-title' }),
    ...bins.map(({ from, to, count }, at) =>
      element(
        'rect',
        {
          class: 'bin',
          x: plot.left + at * step + 1,
          y: y(count),
          width: Math.max(1, step - 2),
          height: plot.bottom - y(count),
        },
        element('title', {}, `${from} to ${to} ${unit}: ${count}`),
      ),
    ),
    line(plot.left, plot.bottom, plot.right, plot.bottom, { class: 'axis' }),
    text(plot.left - 6, y(tallest) + 4, `${tallest}`, { 'text-anchor': 'end' }),
    text(plot.left - 6, plot.bottom + 4, '0', { 'text-anchor': 'end' }),
    ...labels.map(({ from }) =>
      text(plot.left + bins.findIndex((bin) => bin.from === from) * step, plot.bottom + 18, `${from}`, {
        'text-anchor': 'middle',
      }),
    ),
    text((plot.left + plot.right) / 2, plot.bottom + 40, unit, { 'text-anchor': 'middle' }),
  )
}
