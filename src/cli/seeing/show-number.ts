const steps = ['', 'k', 'M', 'G', 'T', 'P']

/** A number in five characters at the most: three digits and a unit of 1000. */
export function showShort(value: number): string {
  let step = 0
  let rest = value
  while (rest >= 999.5 && step < steps.length - 1) {
    rest /= 1000
    step++
  }
  const digits = (step === 0 && Number.isInteger(rest)) || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2
  return `${rest.toFixed(digits)}${steps[step]}`
}

/** As in "2 d 3 h"; the two largest units. */
export function showTime(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  if (first < 0) return '0 s'
  return parts
    .slice(first, first + 2)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ')
}
