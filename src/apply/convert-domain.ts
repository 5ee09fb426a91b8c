import { join } from 'node:path'
import { accelerateDomain } from '../core/accelerate/accelerate-domain.js'
import { chooseMemory } from '../core/accelerate/choose-memory.js'
import type { ConvertedInterface } from '../core/accelerate/edit-interface.js'
import { memoryNodeOf, nodesOfWorkers, tellFarNodes } from '../core/doctor/far-nodes.js'
import { VhostkitError } from '../core/errors.js'
import type { Facts } from '../core/facts/facts.js'
import type { Folders } from '../core/plan/plan.js'
import { findLosses } from '../core/xml/find-losses.js'
import { diffLines } from '../core/xml/line-diff.js'
import { parseXml } from '../core/xml/parse-xml.js'
import { defineDomain } from '../drivers/libvirt/define-domain.js'
import { type FoundDomain, findDomain } from '../drivers/libvirt/find-domain.js'
import { isActive } from '../drivers/libvirt/read-domain.js'
import { makeFolder, readText, removeFile, writeTextAtomic } from '../world/files.js'

export interface ConvertInput {
  connect: string
  domain: string
  network: string | null
  folders: Folders
  facts: Facts
  /** How the switch is started; it says on which nodes workers may be. */
  switchArgv: string[]
}

export interface Converted {
  domain: string
  interfaces: Omit<ConvertedInterface, 'edits'>[]
  xml: string
  difference: string
  /** What will not be on one node, one sentence each. */
  notices: string[]
}

/** What a domain would become; its refusals are one error. */
export async function planAcceleration(input: ConvertInput): Promise<Converted & { found: FoundDomain }> {
  const found = await findDomain(input.connect, input.domain)
  const memory = chooseMemory(parseXml(found.xml), input.facts)
  const result = accelerateDomain(found.xml, { network: input.network, runFolder: input.folders.run, memory })
  const running = isActive(found.state) ? [`It is ${found.state}: stop it first.`] : []
  const refusals = [...running, ...refuseSaved(found), ...('refusals' in result ? result.refusals : [])]
  if ('refusals' in result || refusals.length > 0) {
    throw new VhostkitError('domain-refused', {
      sentence: `${found.name} cannot be accelerated. ${refusals.join(' ')}`,
    })
  }
  const interfaces = result.interfaces.map(({ mac, network, port }) => ({ mac, network, port }))
  return {
    found,
    domain: found.name,
    interfaces,
    xml: result.xml,
    difference: diffLines(found.xml, result.xml),
    notices: tellFarNodes({
      memoryNode: memoryNodeOf(parseXml(result.xml)),
      workerNodes: nodesOfWorkers(input.switchArgv, input.facts.nodes),
      uplink: input.facts.uplink ?? null,
    }),
  }
}

/** Converts a domain; its definition as it was is kept first, and it comes back when libvirt takes the new one otherwise. */
export async function accelerate(input: ConvertInput): Promise<Converted> {
  const { found, ...converted } = await planAcceleration(input)
  const kept = keptPath(input.folders, found.uuid)
  await makeFolder(join(input.folders.state, 'accelerated'), 0o700)
  await writeTextAtomic(kept, found.xml)
  try {
    await define(input.connect, found, converted.xml)
    const now = await findDomain(input.connect, found.uuid)
    const losses = findLosses(parseXml(converted.xml), parseXml(now.xml))
    if (losses.length === 0) return converted
    throw new VhostkitError('domain-failed', { sentence: `libvirt lost ${losses.slice(0, 3).join(', ')}.` })
  } catch (error) {
    await define(input.connect, found, found.xml)
    await removeFile(kept)
    throw error
  }
}

/** Brings back the definition that was kept. */
export async function restore(
  input: Omit<ConvertInput, 'network' | 'facts' | 'switchArgv'>,
): Promise<Converted> {
  const found = await findDomain(input.connect, input.domain)
  const kept = keptPath(input.folders, found.uuid)
  const xml = await readText(kept)
  if (xml === null) {
    throw new VhostkitError('not-found', { sentence: `${found.name} was not accelerated from here.` })
  }
  if (isActive(found.state)) {
    throw new VhostkitError('domain-refused', { sentence: `${found.name} is ${found.state}: stop it first.` })
  }
  const [saved] = refuseSaved(found)
  if (saved !== undefined) {
    throw new VhostkitError('domain-refused', { sentence: `${found.name} cannot be restored. ${saved}` })
  }
  await define(input.connect, found, xml)
  const now = await findDomain(input.connect, found.uuid)
  if (now.xml !== xml) {
    throw new VhostkitError('domain-failed', {
      sentence: `${found.name} is defined again, but libvirt writes it otherwise than before:\n${diffLines(xml, now.xml)}`,
      hint: `The definition as it was stays in ${kept}.`,
    })
  }
  await removeFile(kept)
  return { domain: found.name, interfaces: [], xml, difference: diffLines(found.xml, xml), notices: [] }
}

/** It would start as it was saved, not as it is defined. */
function refuseSaved({ saved }: FoundDomain): string[] {
  return saved
    ? ['Its memory is saved, and it would go on from that: start it, or `virsh managedsave-remove` it first.']
    : []
}

async function define(connect: string, { name, uuid }: FoundDomain, xml: string): Promise<void> {
  await defineDomain({ connect, name, uuid, xml, uid: null })
}

function keptPath({ state }: Folders, uuid: string): string {
  return join(state, 'accelerated', `${uuid}.xml`)
}
