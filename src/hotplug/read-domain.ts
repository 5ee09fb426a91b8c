import type { DomainTarget } from '../core/steps/steps.js'
import { parseXml } from '../core/xml/parse-xml.js'
import type { XmlElement } from '../core/xml/xml.js'
import { findDomain } from '../drivers/libvirt/find-domain.js'
import { isActive } from '../drivers/libvirt/read-domain.js'
import { mustVirsh } from '../drivers/libvirt/virsh.js'

/** A domain with both its definitions, as a card is plugged in or out of it. */
export interface PlugDomain {
  name: string
  /** Which definitions there are: a transient domain has none to start from next. */
  target: DomainTarget
  next: XmlElement
  live: XmlElement | null
}

export async function readPlugDomain(connect: string, word: string): Promise<PlugDomain> {
  const { name, uuid, state, xml } = await findDomain(connect, word)
  const running = isActive(state)
  const live = running ? parseXml(await mustVirsh(connect, ['dumpxml', uuid])) : null
  const persistent = /^Persistent:\s*yes/m.test(await mustVirsh(connect, ['dominfo', uuid]))
  return { name, next: parseXml(xml), live, target: { connect, uuid, live: running, config: persistent } }
}
