import type { Spread } from '../statistics.js'
import { element, type Markup } from './markup.js'
import { logScale, type Scale } from './scale.js'

export interface Series {
  name: string
  colour: string
  /** By size; what was not measured is not there. */
  points: Map<number, Spread>
}

export interface ChartOptions {
  title: string
  unit: string
  sizes: readonly number[]
  series: readonly Series[]
}

const width = 720
const height = 360
const plot = { left: 64, right: 560, top: 40, bottom: 312 }

/** Medians by frame size, one line for each series, with a bar from the least to the greatest. */
export function lineChart({ title, unit, sizes, series }: ChartOptions): Markup {
  const all = series.flatMap(({ points }) => [...points.values()].flatMap(({ min, max }) => [min, max]))
  const scale = logScale(all, plot.bottom, plot.top)
  const step = (plot.right - plot.left) / Math.max(1, sizes.length)
  const x = (size: number) => plot.left + step * (sizes.indexOf(size) + 0.5)
  const parts = series.map((one, index) => {
    // Side by side, so that bars of one size do not hide each other.
    const shift = (index - (series.length - 1) / 2) * Math.min(10, step / (series.length + 1))
    return drawSeries(one, (size) => x(size) + shift, scale, unit)
  })
  const attributes = { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' }
  return element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', ...attributes },
    element('title', {}, title),
    text(plot.left, 20, title, { class: 'chart-title' }),
    ...scale.ticks.flatMap((tick) => [
      line(plot.left, scale.at(tick), plot.right, scale.at(tick), { class: 'grid' }),
      text(plot.left - 6, scale.at(tick) + 4, `${tick}`, { 'text-anchor': 'end' }),
    ]),
    ...sizes.map((size) => text(x(size), plot.bottom + 18, `${size}`, { 'text-anchor': 'middle' })),
    text((plot.left + plot.right) / 2, plot.bottom + 38, 'bytes of a frame', { 'text-anchor': 'middle' }),
    text(14, (plot.top + plot.bottom) / 2, unit, {
      'text-anchor': 'middle',
      transform: `rotate(-90 14 ${(plot.top + plot.bottom) / 2})`,
    }),
    ...parts,
    ...series.flatMap(({ name, colour }, index) => [
      element('circle', { cx: plot.right + 18, cy: plot.top + 20 * index, r: 5, fill: colour }),
      text(plot.right + 30, plot.top + 20 * index + 4, name, {}),
    ]),
  )
}

function drawSeries(
  { name, colour, points }: Series,
  x: (size: number) => number,
  scale: Scale,
  unit: string,
): Markup {
  const found = [...points].sort(([a], [b]) => a - b)
  const path = found.map(([size, { median }]) => `${x(size).toFixed(1)},${scale.at(median).toFixed(1)}`)
  return element(
    'g',
    { stroke: colour, fill: colour },
    element('polyline', { points: path.join(' '), fill: 'none', 'stroke-width': 1.5 }),
    ...found.flatMap(([size, { median, min, max }]) => [
      line(x(size), scale.at(min), x(size), scale.at(max), { 'stroke-width': 2 }),
      line(x(size) - 4, scale.at(min), x(size) + 4, scale.at(min), {}),
      line(x(size) - 4, scale.at(max), x(size) + 4, scale.at(max), {}),
      element(
        'circle',
        { cx: x(size), cy: scale.at(median), r: 4 },
        element('title', {}, `${name}, ${size} bytes: ${median} ${unit} (${min} to ${max})`),
      ),
    ]),
  )
}

export function line(x1: number, y1: number, x2: number, y2: number, more: Record<string, string | number>) {
  return element('line', { x1, y1, x2, y2, ...more })
}

export function text(x: number, y: number, words: string, more: Record<string, string | number>): Markup {
  return element('text', { x, y, ...more }, words)
}
