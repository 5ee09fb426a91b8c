/** One instruction of the classic packet filter: code, jump when true, jump when false, operand. */
export type FilterInstruction = [number, number, number, number]

const most = [0xffff, 0xff, 0xff, 0xffff_ffff]

/** What `tcpdump -ddd` prints: how many instructions, then one a line. Null: something else. */
export function parseFilter(text: string): FilterInstruction[] | null {
  const [count, ...lines] = text.trim().split('\n')
  const program = lines.map((line) => line.trim().split(/\s+/).map(Number))
  const right = program.every(
    (row) =>
      row.length === 4 &&
      row.every((value, at) => Number.isInteger(value) && value >= 0 && value <= (most[at] ?? 0)),
  )
  return right && Number(count) === program.length && program.length > 0
    ? (program as FilterInstruction[])
    : null
}
