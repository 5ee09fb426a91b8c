import type { Facts, NumaNode, UplinkFact } from '../facts/facts.js'
import { mib } from '../spec/size.js'

/** Pages of one size on one node: free now, and what free memory could still be turned into. */
export interface PageStock {
  free: number
  reservable: number
}

interface Account {
  node: NumaNode
  freeBytes: number
  freeCpus: number
  freePages: Map<number, number>
}

/** What the nodes of the host have left while machines are placed one after the other. */
export class Ledger {
  readonly #accounts: Map<number, Account>
  readonly #canReserve: boolean
  /** The card by which frames leave the host. */
  readonly uplink: UplinkFact | null

  private constructor(accounts: Map<number, Account>, canReserve: boolean, uplink: UplinkFact | null) {
    this.#accounts = accounts
    this.#canReserve = canReserve
    this.uplink = uplink
  }

  static of({ nodes, canReserveHugepages, uplink }: Facts): Ledger {
    const open = (node: NumaNode): Account => {
      const freePages = new Map(node.hugepages.map(({ pageBytes, free }) => [pageBytes, free]))
      return { node, freeBytes: node.freeBytes, freeCpus: node.cpus.length, freePages }
    }
    return new Ledger(
      new Map(nodes.map((node) => [node.id, open(node)])),
      canReserveHugepages,
      uplink ?? null,
    )
  }

  /** A copy to try a placement on. */
  clone(): Ledger {
    const copies = [...this.#accounts].map(
      ([id, account]) => [id, { ...account, freePages: new Map(account.freePages) }] as const,
    )
    return new Ledger(new Map(copies), this.#canReserve, this.uplink)
  }

  nodeIds(): number[] {
    return [...this.#accounts.keys()]
  }

  node(id: number): NumaNode | null {
    return this.#accounts.get(id)?.node ?? null
  }

  freeBytes(id: number): number {
    return this.#account(id).freeBytes
  }

  freeCpus(id: number): number {
    return this.#account(id).freeCpus
  }

  /** Page sizes that the kernel knows on a node, ascending. */
  pageSizes(id: number): number[] {
    return this.#account(id).node.hugepages.map(({ pageBytes }) => pageBytes)
  }

  pages(id: number, pageBytes: number): PageStock {
    const { node, freeBytes, freePages } = this.#account(id)
    const free = freePages.get(pageBytes)
    if (free === undefined) return { free: 0, reservable: 0 }
    // 1G pages need a whole free gigabyte in one piece, which a running host rarely has.
    const mayReserve = this.#canReserve && pageBytes <= 2 * mib
    const spare = freeBytes - safetyMargin(node)
    return { free, reservable: mayReserve ? Math.max(0, Math.floor(spare / pageBytes)) : 0 }
  }

  takePages(id: number, pageBytes: number, pages: number): void {
    const account = this.#account(id)
    const free = account.freePages.get(pageBytes) ?? 0
    const reserved = Math.max(0, pages - free)
    account.freePages.set(pageBytes, free + reserved - pages)
    account.freeBytes -= reserved * pageBytes
  }

  /** Pages that a machine to be restarted holds now. */
  returnPages(id: number, pageBytes: number, pages: number): void {
    const account = this.#accounts.get(id)
    account?.freePages.set(pageBytes, (account.freePages.get(pageBytes) ?? 0) + pages)
  }

  takeBytes(id: number, bytes: number): void {
    this.#account(id).freeBytes -= bytes
  }

  takeCpus(id: number, cpus: number): void {
    const account = this.#accounts.get(id)
    if (account !== undefined) account.freeCpus -= cpus
  }

  #account(id: number): Account {
    const account = this.#accounts.get(id)
    if (account === undefined) throw new RangeError(`no node ${id}`)
    return account
  }
}

/** Reserving a node's last memory would push the host itself into swapping. */
function safetyMargin({ memoryBytes }: NumaNode): number {
  return Math.max(256 * mib, Math.floor(memoryBytes / 10))
}
