/** A logarithmic axis: where a value lies on it, and the values worth a line. */
export interface Scale {
  at(value: number): number
  ticks: number[]
}

/** From the round value below the least to the one above the greatest, between two places on the page. */
export function logScale(values: readonly number[], from: number, to: number): Scale {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value))
  const least = roundDown(Math.min(...positive, 1e9))
  const most = roundUp(Math.max(...positive, least * 2))
  const share = (value: number) => Math.log(value / least) / Math.log(most / least)
  return {
    at: (value) => from + (to - from) * Math.max(0, share(Math.max(value, least))),
    ticks: roundValues(least, most),
  }
}

const steps = [1, 2, 5]

function decade(value: number): number {
  return 10 ** Math.floor(Math.log10(value) + 1e-9)
}

function roundDown(value: number): number {
  const unit = decade(value)
  return (steps.findLast((step) => step * unit <= value * (1 + 1e-9)) ?? 1) * unit
}

function roundUp(value: number): number {
  const unit = decade(value)
  return ([...steps, 10].find((step) => step * unit >= value * (1 - 1e-9)) ?? 10) * unit
}

function roundValues(least: number, most: number): number[] {
  const found: number[] = []
  for (let unit = decade(least); unit <= most * (1 + 1e-9); unit *= 10)
    for (const step of steps) {
      const value = Number((step * unit).toPrecision(3))
      if (value >= least * (1 - 1e-9) && value <= most * (1 + 1e-9)) found.push(value)
    }
  return found
}
