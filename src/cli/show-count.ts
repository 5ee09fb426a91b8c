/** As in "1 port", "2 ports". */
export function showCount(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
