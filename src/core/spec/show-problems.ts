import type { Problem } from './problem.js'

/** More of them nobody mends at once; `--json` has all. */
const most = 40

/**
 * Problems as compilers print them: place, what was expected, what was found, and below it what to do. That is said
 * once for those in a row that have it in common.
 */
export function showProblems(problems: Problem[]): string {
  const shown = problems.slice(0, most)
  const left = problems.length - shown.length
  const lines = shown.flatMap((problem, index) =>
    shown[index + 1]?.hint === problem.hint
      ? [showProblem(problem)]
      : [showProblem(problem), `  ${problem.hint}`],
  )
  return [...lines, ...(left > 0 ? [`… and ${left} more`] : [])].map((line) => `${line}\n`).join('')
}

function showProblem({ code, file, line, column, path, expected, found }: Problem): string {
  const place = line === 0 ? file : [file, line, column].filter((part) => part !== '').join(':')
  const where = [place, path].filter((part) => part !== '').join(' ')
  const head = where === '' ? '' : `${where}: `
  return `${head}expected ${expected}, found ${found} [${code}]`
}
