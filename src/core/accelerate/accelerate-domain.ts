import { domainPort } from '../spec/names.js'
import { applyEdits, type Edit } from '../xml/edit-text.js'
import { parseXml } from '../xml/parse-xml.js'
import { elementsOf, find, textOf } from '../xml/xml.js'
import { editCommandLine } from './edit-command-line.js'
import { type ConvertedInterface, editInterface } from './edit-interface.js'
import { editMemory, type MemoryWish } from './edit-memory.js'
import { editMetadata } from './edit-metadata.js'
import { refuseDomain, refuseInterface } from './refusals.js'

export interface AccelerateOptions {
  /** The network of the switch for all its cards; null: that of the name each card has now. */
  network: string | null
  /** Where sockets are: the folder of machines is below it. */
  runFolder: string
  memory: MemoryWish
}

export type Accelerated = { xml: string; interfaces: ConvertedInterface[] } | { refusals: string[] }

/**
 * The definition with vhost-user cards in place of its virtio ones, and memory that
 * the switch can see. Edits are made in the text: every byte that none of them
 * concerns, comments and order too, is as it was.
 */
export function accelerateDomain(xml: string, options: AccelerateOptions): Accelerated {
  const domain = parseXml(xml)
  const devices = find(domain, 'devices')
  const nics = devices === null ? [] : elementsOf(devices, 'interface')
  const refusals = [...refuseDomain(domain, nics), ...nics.flatMap(refuseInterface)]
  if (refusals.length > 0) return { refusals }
  const uuid = textOf(find(domain, 'uuid'))
  const folder = `${options.runFolder}/machines/${uuid}`
  const converted = nics.map((nic, index) =>
    editInterface(xml, nic, {
      socket: `${folder}/net${index}.sock`,
      network: options.network,
      port: domainPort(textOf(find(domain, 'name')), index),
    }),
  )
  const edits: Edit[] = [
    ...converted.flatMap(({ edits: own }) => own),
    ...editMemory(xml, domain, options.memory),
    ...editMetadata(xml, domain, converted),
    ...editCommandLine(xml, domain),
  ]
  return { xml: applyEdits(xml, edits), interfaces: converted }
}
