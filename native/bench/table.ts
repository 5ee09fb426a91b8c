import type { BenchResult } from './result.js'
import type { Spread } from './statistics.js'

/** The result for people. */
export function showTable(result: BenchResult): string {
  const { machine } = result
  const head = [
    `${machine.cpu}, ${machine.cores} cores, TSC ${machine.tsc_mhz} MHz, Linux ${machine.kernel}`,
    `guest memory on pages of ${machine.page_bytes / 1024} kB; generator on core ${machine.generator_core}, switch on core ${machine.switch_core}`,
    ...Object.entries(result.versions).map(([name, version]) => `${name}: ${version}`),
  ]
  const rows = result.rows.map((row) => [
    row.workload,
    row.frontend,
    `${row.size}`,
    row.peer,
    showSpread(row.mpps, 2),
    showSpread(row.cycles_per_frame, 0),
    `${Math.round(row.busy * 100)} %`,
    showRatio(result, row),
    row.generator_cycles === null ? '' : row.generator_cycles.toFixed(0),
  ])
  const titles = [
    'workload',
    'guests',
    'bytes',
    'switch',
    'M frames/s',
    'cycles/frame',
    'busy',
    'vhostkit is',
    'own cycles',
  ]
  const floor = result.floor.map((row) => [`${row.size}`, showSpread({ ...row, median: row.cycles }, 0)])
  return [
    ...head,
    '',
    ...alignColumns([titles, ...rows]),
    '',
    'Medians (min–max); "vhostkit is" compares run by run; own cycles are the generator\'s.',
    '',
    ...alignColumns([['bytes', 'cycles of a plain copy'], ...floor]),
    ...result.missing.map(({ what, why }) => `\nLeft out: ${what}: ${why}`),
    '',
  ].join('\n')
}

function showSpread({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`
}

function showRatio(result: BenchResult, row: BenchResult['rows'][number]): string {
  const found = result.ratios.find(
    ({ peer, frontend, workload, size }) =>
      peer === row.peer && frontend === row.frontend && workload === row.workload && size === row.size,
  )
  return found === undefined ? '' : `${found.mpps.median.toFixed(2)} ×`
}

function alignColumns(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
