import { errorTable } from '../errors.js'
import { errorTexts } from './error-texts.js'
import { type FindingText, findingTable } from './finding-table.js'

/** One code that vhostkit may show, whoever shows it. */
export interface Explanation extends FindingText {
  code: string
  kind: 'error' | 'finding'
  /** Of an error; null for findings, which make `doctor` exit with 4 when they are problems. */
  exitCode: number | null
}

/** Every error and every finding, in the order of their tables. */
export function explanations(): Explanation[] {
  const errors = Object.entries(errorTable).map(([code, { exitCode, sentence, hint }]): Explanation => {
    const { cause, look } = errorTexts[code as keyof typeof errorTexts]
    return { code, kind: 'error', exitCode, cause: `${sentence} ${cause}`, look, mend: hint }
  })
  const findings = Object.entries(findingTable).map(
    ([code, text]): Explanation => ({ code, kind: 'finding', exitCode: null, ...text }),
  )
  return [...errors, ...findings]
}

/** docs/troubleshooting.md; `npm run golden` writes it. */
export function renderTroubleshooting(): string {
  const all = explanations()
  const part = (title: string, kind: Explanation['kind']) => [
    `## ${title}`,
    '',
    ...all
      .filter((one) => one.kind === kind)
      .flatMap(({ code, exitCode, cause, look, mend }) => [
        `### ${code}`,
        '',
        `${cause}${exitCode === null ? '' : ` Exit code ${exitCode}.`}`,
        '',
        `- Look at: ${look}`,
        `- Mend: ${mend}`,
        '',
      ]),
  ]
  return [
    '# Troubleshooting',
    '',
    'Written by `npm run golden` from the tables in `src/core`. `vhostkit explain CODE` prints one of these.',
    '',
    ...part('Errors', 'error'),
    ...part('What doctor finds', 'finding'),
  ].join('\n')
}
