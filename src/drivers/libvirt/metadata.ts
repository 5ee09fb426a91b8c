import { readWords, renderWords } from '../../core/hotplug/domain-words.js'
import { vhostkitNamespace } from '../../core/render/libvirt/metadata.js'
import type { DomainTarget } from '../../core/steps/steps.js'
import { parseXml } from '../../core/xml/parse-xml.js'
import type { Verdict } from '../driver.js'
import { mustVirsh, virsh } from './virsh.js'

/** Sets our words in the metadata of a domain, or takes them away; those of others stay. */
export async function setMetadata(target: DomainTarget, xml: string | null): Promise<void> {
  for (const scope of scopesOf(target)) {
    const args = ['metadata', target.uuid, scope, '--uri', vhostkitNamespace]
    if (xml === null) {
      const removed = await virsh(target.connect, [...args, '--remove'])
      if (removed.ok || /metadata not found|not present/i.test(removed.stderr)) continue
      await mustVirsh(target.connect, [...args, '--remove'])
    } else await mustVirsh(target.connect, [...args, '--key', 'vhostkit', '--set', xml])
  }
}

export async function checkMetadata(target: DomainTarget, xml: string | null): Promise<Verdict> {
  for (const scope of scopesOf(target)) {
    const args = ['dumpxml', ...(scope === '--config' ? ['--inactive'] : []), target.uuid]
    const words = readWords(parseXml(await mustVirsh(target.connect, args)))
    const found = words === null ? null : renderWords(words)
    if (found !== xml) return { ok: false, found: `the metadata is ${found ?? 'not there'}` }
  }
  return { ok: true, found: '' }
}

function scopesOf({ live, config }: DomainTarget): string[] {
  return [...(live ? ['--live'] : []), ...(config ? ['--config'] : [])]
}
