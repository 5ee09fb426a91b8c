import type { Problem } from './problem.js'

/** Problems as compilers print them: place, what was expected, what was found, and below it what to do. */
export function showProblems(problems: Problem[]): string {
  return problems.map(showProblem).join('')
}

function showProblem({ code, file, line, column, path, expected, found, hint }: Problem): string {
  const place = line === 0 ? file : [file, line, column].filter((part) => part !== '').join(':')
  const where = [place, path].filter((part) => part !== '').join(' ')
  const head = where === '' ? '' : `${where}: `
  return `${head}expected ${expected}, found ${found} [${code}]\n  ${hint}\n`
}
