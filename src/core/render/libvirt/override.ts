import type { InterfacePlan, MachinePlan, Plan } from '../../plan/plan.js'
import { element, type XmlElement } from '../../xml/xml.js'
import { interfaceAlias } from './interface.js'

export const qemuNamespace = 'http://libvirt.org/schemas/domain/qemu/1.0'

/** What of a card libvirt has no words for goes to QEMU by its own; null when there is nothing. */
export function renderOverride({ interfaces }: MachinePlan): XmlElement | null {
  const devices = interfaces.flatMap((nic) => {
    const properties = renderProperties(nic)
    if (properties.length === 0) return []
    const frontend = element('qemu:frontend', {}, ...properties)
    return [element('qemu:device', { alias: interfaceAlias(nic.index) }, frontend)]
  })
  return devices.length === 0 ? null : element('qemu:override', {}, ...devices)
}

/**
 * Words for every card, also those plugged in later, which an override does not reach; null
 * when there are none. Under TCG no card may have vectors (QEMU 7.2 crashes).
 */
export function renderCommandLine({ accel }: Plan): XmlElement | null {
  if (accel !== 'tcg') return null
  const words = ['-global', 'virtio-net-pci.vectors=0']
  return element('qemu:commandline', {}, ...words.map((value) => element('qemu:arg', { value })))
}

function renderProperties({ vectors, queues, carrier }: InterfacePlan): XmlElement[] {
  const property = (name: string, type: string, value: string) =>
    element('qemu:property', { name, type, value })
  return [
    // libvirt itself counts the vectors of several queues; none at all is what TCG needs.
    ...(vectors === 2 * queues + 2 ? [] : [property('vectors', 'unsigned', String(vectors))]),
    ...(carrier === 'steady'
      ? [property('status', 'bool', 'false'), property('guest_announce', 'bool', 'false')]
      : []),
  ]
}
