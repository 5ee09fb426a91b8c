import { cutText, wrapText } from '../core/render/show-table.js'

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
  /** Where a cell is cut: names differ at both ends, paths at their own. */
  cut?: 'end' | 'middle' | 'start'
  /** A sentence: as the last one shown it goes on below itself instead of being cut. */
  wraps?: boolean
  /** Whether a cell is to be marked as trouble. */
  loud?(row: T): boolean
}

export interface Cell {
  text: string
  loud: boolean
}

/** The heading and the rows, each cell padded to its column's width, none wider than `width` in all. */
export function fitColumns<T>(columns: Column<T>[], rows: T[], width: number): Cell[][] {
  const shown = chooseColumns(columns, rows, width)
  return [
    shown.map(([column, room]) => ({ text: place(column, column.title, room), loud: false })),
    ...rows.map((row) =>
      shown.map(([column, room]) => ({
        text: place(column, cellOf(column, row), room),
        loud: column.loud?.(row) === true,
      })),
    ),
  ]
}

/**
 * A table as lines of at most `width`; null: as wide as it takes. Where room is short a column in which no row
 * says anything goes first; the others that had to go are named below.
 */
export function showColumns<T>(columns: Column<T>[], rows: T[], width: number | null): string {
  const wide = width ?? Number.MAX_SAFE_INTEGER
  const needed = columns.reduce((sum, column) => sum + naturalWidth(column, rows) + 2, -2)
  const says = (column: Column<T>) =>
    column.rank === 1 || rows.some((row) => !silent.includes(column.cell(row)))
  // Before names are cut short, the least important columns go.
  const named = columns.map((column) =>
    column.rank === 1 && column.least !== undefined
      ? { ...column, least: Math.max(column.least, Math.floor(0.3 * wide)) }
      : column,
  )
  const telling = needed <= wide ? named : named.filter(says)
  const shown = chooseColumns(telling, rows, wide)
  const last = shown.length - 1
  const showRow = (cell: (column: Column<T>) => string) => {
    const pieces = shown.map(([column, room], index) =>
      index === last && column.wraps === true
        ? wrapText(cell(column), room)
        : [place(column, cell(column), room)],
    )
    const below = pieces[last]?.slice(1) ?? []
    const indent = shown.slice(0, -1).reduce((sum, [, room]) => sum + room + 2, 0)
    return [
      pieces
        .map(([first = '']) => first)
        .join('  ')
        .trimEnd(),
      ...below.map((piece) => ' '.repeat(indent) + piece),
    ]
  }
  const gone = telling.filter((column) => !shown.some(([other]) => other === column))
  const missing = gone.map(({ title }) => title).join(', ')
  return [
    ...showRow(({ title }) => title),
    ...rows.flatMap((row) => showRow((column) => cellOf(column, row))),
    ...(gone.length === 0 ? [] : wrapText(`… no room for ${missing}: --json has all`, wide)),
  ].join('\n')
}

/** What a cell says that has nothing to say. */
const silent = ['-', 'none', '']

/** The columns that there is room for, in their order, each with its width. */
function chooseColumns<T>(columns: Column<T>[], rows: T[], width: number): [Column<T>, number][] {
  const natural = new Map(columns.map((column) => [column, naturalWidth(column, rows)]))
  const needed = (column: Column<T>) =>
    Math.min(column.least ?? Number.MAX_SAFE_INTEGER, natural.get(column) ?? 0)
  const byRank = [...columns].sort((a, b) => a.rank - b.rank)
  const kept: Column<T>[] = []
  let used = -2
  for (const column of byRank) {
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
  return columns.flatMap((column) => {
    const room = widths.get(column)
    return room === undefined ? [] : [[column, room]]
  })
}

function naturalWidth<T>(column: Column<T>, rows: T[]): number {
  return rows.reduce((most, row) => Math.max(most, cellOf(column, row).length), column.title.length)
}

function cellOf<T>(column: Column<T>, row: T): string {
  return printable(column.cell(row))
}

function place<T>({ right, cut = 'end' }: Column<T>, text: string, width: number): string {
  const fitting = cutText(text, width, cut)
  return right === true ? fitting.padStart(width) : fitting.padEnd(width)
}

/** What comes from elsewhere must not move the cursor. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}
