import { join } from 'node:path'
import type { Facts } from '../core/facts/facts.js'
import { objectOf, parseObject, textsOf } from '../core/loose-values.js'
import { exists, listFolder, readText } from '../world/files.js'

/** Where packages of firmware describe what they bring (docs/interop/firmware.json of QEMU); /etc comes first. */
const folders = ['/etc/qemu/firmware', '/usr/share/qemu/firmware']

type Uefi = NonNullable<Facts['uefi']>

/** What one description says, when it is of UEFI in flash for q35, without Secure Boot; else null. */
export function parseFirmware(text: string): Uefi | null {
  const value = parseObject(text)
  const types = textsOf(value['interface-types'])
  const features = textsOf(value.features)
  const mapping = objectOf(value.mapping)
  const targets = Array.isArray(value.targets) ? value.targets.map(objectOf) : []
  const fits = targets.some(
    ({ architecture, machines }) =>
      architecture === 'x86_64' && textsOf(machines).some((pattern) => pattern.startsWith('pc-q35')),
  )
  const locked = features.some((feature) =>
    ['requires-smm', 'enrolled-keys', 'secure-boot'].includes(feature),
  )
  if (!types.includes('uefi') || mapping.device !== 'flash' || !fits || locked) return null
  const { filename: code, format } = objectOf(mapping.executable)
  const { filename: variables } = objectOf(mapping['nvram-template'])
  const isRaw = format === undefined || format === 'raw'
  return typeof code === 'string' && typeof variables === 'string' && isRaw ? { code, variables } : null
}

/** The first firmware that fits, in the order of the names of their descriptions, as libvirt chooses. */
export async function readUefi(): Promise<Facts['uefi']> {
  for (const folder of folders) {
    for (const name of (await listFolder(folder)).filter((file) => file.endsWith('.json'))) {
      const found = parseFirmware((await readText(join(folder, name)).catch(() => null)) ?? '')
      if (found !== null && (await exists(found.code)) && (await exists(found.variables))) return found
    }
  }
  return null
}
