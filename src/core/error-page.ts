import { errorTable } from './errors.js'

/** The table as the page docs/errors.md. */
export function renderErrorPage(): string {
  const lines = Object.entries(errorTable).map(
    ([code, { exitCode, sentence, hint }]) => `| \`${code}\` | ${exitCode} | ${sentence} | ${hint} |`,
  )
  return [
    '# Errors',
    '',
    'Written by `npm run golden` from the table in `src/core/errors.ts`.',
    'Exit codes: 0 done, 1 failed, 2 wrong usage, 3 spec refused, 4 host cannot, 5 would change, 255 ssh did not get in.',
    '',
    '| code | exit | meaning | what to do |',
    '|---|---|---|---|',
    ...lines,
    '',
  ].join('\n')
}
