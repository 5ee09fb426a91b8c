import type { Folders } from '../core/plan/plan.js'
import { tapName, tapPrefix } from '../core/spec/names.js'
import { appliedSpec } from '../core/take-over/applied-spec.js'
import { imageFiles } from '../core/take-over/image-files.js'
import { readMark } from '../core/take-over/own-mark.js'
import type { TakeOverSights } from '../core/take-over/take-over.js'
import { parseXml } from '../core/xml/parse-xml.js'
import type { XmlElement } from '../core/xml/xml.js'
import { readTaps } from '../drivers/host/taps.js'
import { findDomain } from '../drivers/libvirt/find-domain.js'
import { listDefinitions } from '../drivers/libvirt/list-definitions.js'
import { readImages } from '../host/images.js'
import { knownArtifacts, readReceipts } from './receipt.js'

/** A domain by its name or UUID; of a deployment of ours, all of its domains, for a spec is of all of them. */
export async function readDomains(connect: string, word: string): Promise<XmlElement[]> {
  const found = parseXml((await findDomain(connect, word)).xml)
  const deployment = readMark(found)?.deployment ?? null
  if (deployment === null) return [found]
  const all = (await listDefinitions(connect)).map(parseXml)
  return all
    .filter((domain) => readMark(domain)?.deployment === deployment)
    .sort((a, b) => (machineOf(a) < machineOf(b) ? -1 : 1))
}

/** What this host knows of domains beside their definitions. */
export async function readTakeOverSights(
  domains: XmlElement[],
  connect: string | null,
  { run, state }: Folders,
): Promise<TakeOverSights> {
  const images = readImages(domains.flatMap(imageFiles))
  const receipts = await readReceipts(state)
  const seeds = receipts.flatMap((receipt) =>
    knownArtifacts(receipt).machines.flatMap(({ files = [] }) =>
      files.flatMap((file) => (file.kind === 'seed' ? [{ path: file.path, files: file.files }] : [])),
    ),
  )
  const deployment = domains.map(readMark)[0]?.deployment
  const receipt = receipts.find((one) => one.deployment === deployment)
  const applied = receipt === undefined ? { networks: [] } : appliedSpec(receipt.spec.text)
  return { images, seeds, connect, applied, hostAddresses: await readHostAddresses(domains, run) }
}

async function readHostAddresses(
  domains: XmlElement[],
  run: string,
): Promise<TakeOverSights['hostAddresses']> {
  const marks = domains.map(readMark)
  const deployment = marks[0]?.deployment ?? null
  if (deployment === null) return []
  const taps = (await readTaps(run)).filter(({ ifname }) => ifname.startsWith(tapPrefix(deployment)))
  const networks = new Set(
    marks.flatMap((mark) => [...(mark?.interfaces.values() ?? [])].map(({ network }) => network)),
  )
  return [...networks].flatMap((network) => {
    const tap = taps.find(({ ifname }) => ifname === tapName(deployment, network))
    return tap === undefined ? [] : [{ network, addresses: tap.addresses }]
  })
}

function machineOf(domain: XmlElement): string {
  return readMark(domain)?.machine ?? ''
}
