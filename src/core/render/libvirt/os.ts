import type { MachinePlan } from '../../plan/plan.js'
import { element, type XmlElement } from '../../xml/xml.js'

/** The machine type and what it boots. */
export function renderOs({ boot }: MachinePlan): XmlElement {
  return element(
    'os',
    {},
    element('type', { arch: 'x86_64', machine: 'q35' }, 'hvm'),
    element('kernel', {}, boot.kernel),
    boot.initrd === '' ? null : element('initrd', {}, boot.initrd),
    boot.cmdline === '' ? null : element('cmdline', {}, boot.cmdline),
  )
}
