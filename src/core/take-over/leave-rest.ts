import { attributeOf, elementsOf, find, textOf, type XmlElement } from '../xml/xml.js'
import type { Taking } from './take-over.js'

/** Parts of a domain that another file has read, or that a machine has of itself. */
const taken = new Set(
  'name uuid genid metadata memory currentMemory memoryBacking vcpu vcpus numatune os cpu features clock on_poweroff on_reboot on_crash on_lockfailure pm devices title description seclabel resource'.split(
    ' ',
  ),
)

/** Devices that another file has read, or that come by themselves. */
const takenDevices = new Set(
  'emulator disk controller interface serial console channel input memballoon'.split(' '),
)

const deviceReasons: Record<string, string> = {
  graphics: 'Machines have a serial console, no screen: vhostkit console.',
  video: 'Machines have a serial console, no screen: vhostkit console.',
  hostdev: 'Devices of the host are not passed through.',
  filesystem: 'Folders of the host are not shared.',
  tpm: 'Machines have no TPM.',
  sound: 'Machines have no sound.',
  audio: 'Machines have no sound.',
  memory: 'Memory is not plugged in.',
  redirdev: 'Machines have no USB.',
  watchdog: 'Machines have no watchdog.',
}

/** Says of all that no other file reads that it is not taken over. */
export function leaveRest(taking: Taking): void {
  const { domain, mark, leave } = taking
  const own = mark?.deployment != null
  for (const { name } of elementsOf(domain)) {
    if (taken.has(name) || (own && (name.startsWith('qemu:') || name === 'cputune'))) continue
    leave(
      `<${name}>`,
      name === 'cputune' ? 'vCPUs are pinned to the node of their memory.' : 'A spec has no word for it.',
    )
  }
  const devices = find(domain, 'devices')
  const kinds = new Set((devices === null ? [] : elementsOf(devices)).map(({ name }) => name))
  // libvirt itself adds a silent audio device and the watchdog of the chipset.
  for (const kind of kinds) {
    if (takenDevices.has(kind) || isFilledIn(devices, kind)) continue
    leave(`<${kind}>`, deviceReasons[kind] ?? 'A machine has no such device.')
  }
  if (own) return
  leaveDetails(taking, devices)
}

function isFilledIn(devices: XmlElement | null, kind: string): boolean {
  const all = devices === null ? [] : elementsOf(devices, kind)
  return (
    (kind === 'audio' && all.every((one) => attributeOf(one, 'type') === 'none')) ||
    (kind === 'watchdog' && all.every((one) => attributeOf(one, 'model') === 'itco'))
  )
}

/** Smaller things, in which a domain of somebody else mostly differs from a machine. */
function leaveDetails({ domain, leave }: Taking, devices: XmlElement | null): void {
  leave('its UUID', 'A machine has one of its own, hashed from its names.')
  const machine = attributeOf(find(domain, 'os', 'type'), 'machine') ?? ''
  if (!/q35/.test(machine))
    leave(
      `the machine type ${machine || 'of libvirt'}`,
      'It becomes q35: the guest sees other PCI addresses.',
    )
  const cpu = find(domain, 'cpu')
  const mode = attributeOf(cpu, 'mode') ?? (cpu === null ? '' : 'custom')
  if (!['', 'host-passthrough', 'maximum'].includes(mode)) {
    const model = textOf(find(domain, 'cpu', 'model'))
    leave(
      `the processor ${[mode, model].filter((word) => word !== '').join(' ')}`,
      'The guest gets what the host has.',
    )
  }
  const features = find(domain, 'features')
  const other = (features === null ? [] : elementsOf(features))
    .map(({ name }) => name)
    .filter((name) => !['acpi', 'apic', 'pae', 'vmport'].includes(name))
  if (other.length > 0) leave(`the features ${other.join(', ')}`, 'A spec has no word for them.')
  const offset = attributeOf(find(domain, 'clock'), 'offset') ?? 'utc'
  if (offset !== 'utc') leave(`the clock's offset ${offset}`, 'The clock is UTC.')
  for (const [name, usual] of [
    ['on_poweroff', 'destroy'],
    ['on_reboot', 'restart'],
    ['on_crash', 'destroy'],
  ] as const) {
    const found = textOf(find(domain, name)) || usual
    if (found !== usual) leave(`${name} ${found}`, `It is ${usual}.`)
  }
  const balloon = devices === null ? null : find(devices, 'memballoon')
  if (balloon !== null && attributeOf(balloon, 'model') !== 'none')
    leave('the balloon', 'Memory is shared with the switch as a whole.')
}
