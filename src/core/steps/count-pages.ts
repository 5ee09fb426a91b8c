import type { HugepageNeed } from '../plan/plan.js'

/** Sums per node and size, in the order of node and size. */
export function addPages(amounts: HugepageNeed[]): HugepageNeed[] {
  const sums = new Map<string, HugepageNeed>()
  for (const { node, pageBytes, pages } of amounts) {
    const key = `${node}/${pageBytes}`
    sums.set(key, { node, pageBytes, pages: (sums.get(key)?.pages ?? 0) + pages })
  }
  return [...sums.values()].sort((a, b) => a.node - b.node || a.pageBytes - b.pageBytes)
}

/** What of `amounts` is more than `others` have; nothing is negative. */
export function pagesBeyond(amounts: HugepageNeed[], others: HugepageNeed[]): HugepageNeed[] {
  return addPages(amounts)
    .map((amount) => ({ ...amount, pages: amount.pages - pagesLike(amount, others) }))
    .filter(({ pages }) => pages > 0)
}

/** What `amounts` and `others` have in common. */
export function pagesInBoth(amounts: HugepageNeed[], others: HugepageNeed[]): HugepageNeed[] {
  return addPages(amounts)
    .map((amount) => ({ ...amount, pages: Math.min(amount.pages, pagesLike(amount, others)) }))
    .filter(({ pages }) => pages > 0)
}

function pagesLike({ node, pageBytes }: HugepageNeed, amounts: HugepageNeed[]): number {
  const like = amounts.filter((other) => other.node === node && other.pageBytes === pageBytes)
  return like.reduce((sum, { pages }) => sum + pages, 0)
}
