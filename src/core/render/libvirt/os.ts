import type { FirmwarePlan, MachinePlan } from '../../plan/plan.js'
import { element, type XmlElement } from '../../xml/xml.js'

/** The machine type and what it boots. */
export function renderOs({ boot, storage }: MachinePlan): XmlElement {
  return element(
    'os',
    {},
    element('type', { arch: 'x86_64', machine: 'q35' }, 'hvm'),
    ...renderFirmware(storage?.firmware ?? null),
    boot.kernel === '' ? null : element('kernel', {}, boot.kernel),
    boot.initrd === '' ? null : element('initrd', {}, boot.initrd),
    boot.cmdline === '' ? null : element('cmdline', {}, boot.cmdline),
  )
}

/** Said outright: which firmware libvirt would choose by itself depends on what is installed when it starts. */
function renderFirmware(firmware: FirmwarePlan | null): XmlElement[] {
  if (firmware === null) return []
  const { code, template, variables } = firmware
  return [
    element('loader', { readonly: 'yes', type: 'pflash' }, code),
    element('nvram', { template }, variables),
  ]
}
