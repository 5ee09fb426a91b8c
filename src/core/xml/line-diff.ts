/** The lines that differ, "-" and "+", with some lines around them; empty when none do. Empty lines at the end are none. */
export function diffLines(before: string, after: string, around = 2): string {
  const [old, now] = [before.trimEnd().split('\n'), after.trimEnd().split('\n')]
  const marked = merge(old, now)
  const near = (index: number) =>
    marked.slice(Math.max(0, index - around), index + around + 1).some((line) => line[0] !== ' ')
  const shown: string[] = []
  let last = -1
  marked.forEach((line, index) => {
    if (!near(index)) return
    if (last >= 0 && index > last + 1) shown.push('  …')
    shown.push(line)
    last = index
  })
  return shown.join('\n')
}

/** The longest common lines stay; the table is small, for a definition has some hundred lines. */
function merge(old: string[], now: string[]): string[] {
  const common = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1))
  const at = (i: number, j: number) => common[i]?.[j] ?? 0
  for (let i = old.length - 1; i >= 0; i--) {
    const row = common[i]
    for (let j = now.length - 1; row !== undefined && j >= 0; j--) {
      row[j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const lines: string[] = []
  let [i, j] = [0, 0]
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      lines.push(`  ${old[i]}`)
      i++
      j++
    } else if (j >= now.length || (i < old.length && at(i + 1, j) >= at(i, j + 1)))
      lines.push(`- ${old[i++]}`)
    else lines.push(`+ ${now[j++]}`)
  }
  return lines
}
