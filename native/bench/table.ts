import { alignColumns } from './columns.js'
import type { BenchResult } from './result.js'
import { sectionsOf } from './sections.js'

/** The result for people. */
export function showTable(result: BenchResult): string {
  return [
    ...describeMachine(result),
    ...sectionsOf(result).flatMap(({ title, note, rows }) => [
      '',
      `${title}: ${note}`,
      '',
      ...alignColumns(rows),
    ]),
    ...result.missing.map(({ what, why }) => `\nLeft out: ${what}: ${why}`),
    '',
  ].join('\n')
}

/** Where it was measured, and what. */
export function describeMachine({ machine, versions }: BenchResult): string[] {
  return [
    `${machine.cpu}, ${machine.cores} cores, TSC ${machine.tsc_mhz} MHz, Linux ${machine.kernel}`,
    `guest memory on pages of ${machine.page_bytes / 1024} kB; generator on core ${machine.generator_core}, switch on core ${machine.switch_core}`,
    ...Object.entries(versions).map(([name, version]) => `${name}: ${version}`),
  ]
}
