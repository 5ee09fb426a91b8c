import { cutText } from '../../core/render/show-table.js'

/** A column of a table that has to fit: what does not is left out, the least important first. */
export interface Column<T> {
  title: string
  cell(row: T): string
  /** Numbers stand at the right. */
  right?: boolean
  /** 1 stays longest. */
  rank: number
  /** Width that it needs at the least; its cells may be cut to that. Else it is never cut. */
  least?: number
  /** Whether a cell is to be marked as trouble. */
  loud?(row: T): boolean
}

export interface Cell {
  text: string
  loud: boolean
}

/** The heading and the rows, each cell padded to its column's width, none wider than `width` in all. */
export function fitColumns<T>(columns: Column<T>[], rows: T[], width: number): Cell[][] {
  const natural = new Map(columns.map((column) => [column, naturalWidth(column, rows)]))
  const needed = (column: Column<T>) =>
    Math.min(column.least ?? Number.MAX_SAFE_INTEGER, natural.get(column) ?? 0)
  const kept: Column<T>[] = []
  let used = -2
  for (const column of [...columns].sort((a, b) => a.rank - b.rank)) {
    if (kept.length > 0 && used + 2 + needed(column) > width) break
    kept.push(column)
    used += 2 + needed(column)
  }
  const widths = new Map<Column<T>, number>()
  let spare = Math.max(0, width - used)
  for (const column of kept) {
    const more = Math.min(spare, (natural.get(column) ?? 0) - needed(column))
    widths.set(column, Math.min(width, needed(column) + more))
    spare -= more
  }
  const shown = columns.filter((column) => widths.has(column))
  const place = (column: Column<T>, text: string) => pad(text, widths.get(column) ?? 0, column.right === true)
  return [
    shown.map((column) => ({ text: place(column, column.title), loud: false })),
    ...rows.map((row) =>
      shown.map((column) => ({
        text: place(column, printable(column.cell(row))),
        loud: column.loud?.(row) === true,
      })),
    ),
  ]
}

function naturalWidth<T>(column: Column<T>, rows: T[]): number {
  return Math.max(column.title.length, ...rows.map((row) => printable(column.cell(row)).length))
}

function pad(text: string, width: number, right: boolean): string {
  const cut = cutText(text, width)
  return right ? cut.padStart(width) : cut.padEnd(width)
}

/** What comes from elsewhere must not move the cursor. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}
