import type { Facts } from '../facts/facts.js'
import { pageNeeds } from '../hook/page-needs.js'
import { Ledger } from '../plan/ledger.js'
import { mib } from '../spec/size.js'
import { element, type XmlElement } from '../xml/xml.js'
import type { MemoryWish } from './edit-memory.js'

/**
 * The node for a domain's memory: one with all the hugepages it needs, then that of the card by which
 * frames leave the host, then the one with most. Hugepages only where that node has them, or can still have them.
 */
export function chooseMemory(domain: XmlElement, facts: Facts): MemoryWish {
  const ledger = Ledger.of(facts)
  // As many pages as it would need if it were of hugepages.
  const asked = {
    ...domain,
    children: [...domain.children, element('memoryBacking', {}, element('hugepages'))],
  }
  const pages = pageNeeds(asked).reduce((sum, need) => sum + need.pages, 0)
  const stock = (node: number) => {
    const { free, reservable } = ledger.pages(node, 2 * mib)
    return free + reservable
  }
  const isEnough = (node: number) => Number(stock(node) >= pages)
  const isWayOut = (node: number) => Number(ledger.uplink?.node === node)
  const nodes = ledger
    .nodeIds()
    .sort(
      (a, b) =>
        isEnough(b) - isEnough(a) ||
        isWayOut(b) - isWayOut(a) ||
        stock(b) - stock(a) ||
        ledger.freeBytes(b) - ledger.freeBytes(a),
    )
  const [best = 0] = nodes
  return { pageBytes: stock(best) >= pages ? 2 * mib : null, node: nodes.length > 1 ? best : null }
}
