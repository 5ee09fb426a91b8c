/** What a table needs of a cell at the least when it is cut to fit. */
const narrowest = 6

/**
 * Rows as columns of equal width, two blanks apart; the first row is the heading. With a width, what is too wide
 * is made to fit: the last column, which holds the sentences, goes on below itself, then the widest others are cut.
 */
export function showTable(rows: string[][], width: number | null = null): string {
  const widths = fitWidths(naturalWidths(rows), width)
  return rows.flatMap((row) => showRow(row, widths)).join('\n')
}

/** A text in so many characters, one of them "…" where some are missing: at its end, or elsewhere. */
export function cutText(text: string, width: number, where: 'end' | 'middle' | 'start' = 'end'): string {
  if (text.length <= width) return text
  if (width < 1) return ''
  // Of names that begin alike the end tells more.
  const before = where === 'end' ? width - 1 : where === 'middle' ? Math.floor(0.4 * width) : 0
  const after = width - 1 - before
  return `${text.slice(0, before)}…${after === 0 ? '' : text.slice(-after)}`
}

function naturalWidths(rows: string[][]): number[] {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
    })
  }
  return widths
}

function fitWidths(widths: number[], width: number | null): number[] {
  const fitted = [...widths]
  const last = fitted.length - 1
  const excess = () =>
    width === null ? 0 : fitted.reduce((sum, one) => sum + one, 0) + 2 * last - Math.max(width, 1)
  const shrink = (column: number, least: number) => {
    fitted[column] = Math.max(Math.min(least, fitted[column] ?? 0), (fitted[column] ?? 0) - excess())
  }
  if (excess() > 0) shrink(last, 24)
  // The first column says of whom the row is: it is cut last.
  for (const from of [1, 0]) {
    while (excess() > 0) {
      const most = Math.max(0, ...fitted.slice(from, -1))
      if (most <= narrowest) break
      fitted[fitted.indexOf(most, from)] = most - 1
    }
  }
  if (excess() > 0) shrink(last, narrowest)
  return fitted
}

function showRow(row: string[], widths: number[]): string[] {
  const last = row.length - 1
  const pieces = wrapText(row[last] ?? '', widths[last] ?? 0)
  const before = row.slice(0, -1).map((cell, column) => {
    const room = widths[column] ?? 0
    return cutText(cell, room).padEnd(room)
  })
  const indent = before.map((cell) => ' '.repeat(cell.length))
  return pieces.map((piece, index) => [...(index === 0 ? before : indent), piece].join('  ').trimEnd())
}

/** A text as lines of so many characters: cut at blanks where there are some, else in the middle of a word. */
export function wrapText(text: string, width: number): string[] {
  if (text.length <= width || width < 1) return [text]
  const blank = text.lastIndexOf(' ', width)
  const end = blank > 0 ? blank : width
  return [text.slice(0, end).trimEnd(), ...wrapText(text.slice(end).trimStart(), width)]
}
