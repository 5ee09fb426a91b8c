/** Memory sizes as people write them: 256M, 256MiB, 2G; all of them binary. */

export const kib = 1024
export const mib = 1024 * kib
export const gib = 1024 * mib

const factors: Record<string, number> = { '': 1, K: kib, M: mib, G: gib, T: 1024 * gib }

export const sizePattern = /^([0-9]{1,16})\s?([KMGTkmgt]?)(?:[iI]?[bB])?$/

/** Bytes of "256M", "256MiB", "2 GiB" or "1048576"; null when it is none of these or not exact. */
export function parseSize(text: string): number | null {
  const match = sizePattern.exec(text.trim())
  if (match === null) return null
  const bytes = Number(match[1]) * (factors[(match[2] ?? '').toUpperCase()] ?? Number.NaN)
  return Number.isSafeInteger(bytes) ? bytes : null
}

/** The shortest exact spelling that `parseSize` reads back: 268435456 gives "256M". */
export function showSize(bytes: number): string {
  for (const unit of ['T', 'G', 'M', 'K']) {
    const factor = factors[unit] ?? 1
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`
  }
  return String(bytes)
}
