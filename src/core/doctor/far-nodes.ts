import type { NumaNode, UplinkFact } from '../facts/facts.js'
import { inSet } from '../hook/page-needs.js'
import { attributeOf, elementsOf, find, type XmlElement } from '../xml/xml.js'

/** Where the parts of a card's path are, as far as that is known. */
export interface CardPlaces {
  /** Node of the guest's memory; null: not known, or not bound. */
  memoryNode: number | null
  /** Nodes of the workers that serve it, or that there are to choose from; empty: not known. */
  workerNodes: number[]
  /** The card by which frames leave the host; null: not known, or none of this network leave. */
  uplink: UplinkFact | null
}

/** What is not on the node of the guest's memory, one sentence each; empty when all is together. */
export function tellFarNodes({ memoryNode, workerNodes, uplink }: CardPlaces): string[] {
  if (memoryNode === null) return []
  const workersFar = workerNodes.length > 0 && !workerNodes.includes(memoryNode)
  return [
    ...(workersFar
      ? [
          `Its memory is on node ${memoryNode}, and workers of the switch are on node ${workerNodes.join(', ')} only: each frame crosses the nodes.`,
        ]
      : []),
    ...(uplink !== null && uplink.node !== memoryNode
      ? [
          `Its memory is on node ${memoryNode}, and ${uplink.name}, by which frames leave the host, on node ${uplink.node}: those cross the nodes.`,
        ]
      : []),
  ]
}

/** The nodes on which a switch of that command line may have workers: without cores given, on all. */
export function nodesOfWorkers(
  argv: readonly string[],
  nodes: readonly Pick<NumaNode, 'id' | 'cpus'>[],
): number[] {
  const lists = ['--cores', '--spare-cores'].flatMap((word) => {
    const at = argv.indexOf(word)
    return at < 0 ? [] : [argv[at + 1] ?? '']
  })
  const has = ({ cpus }: Pick<NumaNode, 'cpus'>) => cpus.some((cpu) => lists.some((list) => inSet(cpu, list)))
  return nodes.filter((node) => lists.length === 0 || has(node)).map(({ id }) => id)
}

/** The one node that all memory of a domain is bound to; null when it is several or none. */
export function memoryNodeOf(domain: XmlElement): number | null {
  const tune = find(domain, 'numatune')
  const sets = elementsOf(tune ?? domain, 'memnode').map((one) => attributeOf(one, 'nodeset'))
  const all = sets.length > 0 ? sets : [attributeOf(find(domain, 'numatune', 'memory'), 'nodeset')]
  const [first = null] = all
  return first !== null && /^\d{1,4}$/.test(first) && all.every((set) => set === first) ? Number(first) : null
}
