import { readPool, releaseHugepages, reserveHugepages } from '../../src/drivers/host/hugepages.js'
import type { Belongings } from './belongings.js'

const pageBytes = 2 * 1024 * 1024

/** Sees to so many free hugepages; what had to be added is given back. Null, or why there are none. */
export async function borrowHugepages(pages: number, belongings: Belongings): Promise<string | null> {
  const pool = await readPool(0, pageBytes)
  if (pool.free >= pages) return null
  const amount = { node: 0, pageBytes, pages: pages - pool.free }
  const context = { note: async () => undefined }
  try {
    await reserveHugepages(amount, context)
    belongings.add(`${amount.pages} hugepages`, () => releaseHugepages(amount, context))
    return null
  } catch (error) {
    return `${pages} hugepages of 2 MB are wanted, ${pool.free} are free: ${(error as Error).message}`
  }
}
