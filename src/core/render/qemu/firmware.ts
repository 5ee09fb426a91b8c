import type { MachinePlan } from '../../plan/plan.js'

/** What the machine type must know of its flash; nothing with BIOS. */
export function pflashOptions({ storage }: MachinePlan): Record<string, string> {
  return (storage?.firmware ?? null) === null ? {} : { pflash0: 'firmware', pflash1: 'variables' }
}

/** UEFI in flash: its code, which nobody writes, and its variables, which are the machine's own. */
export function renderFirmware({ storage }: MachinePlan): string[] {
  const firmware = storage?.firmware ?? null
  if (firmware === null) return []
  return [
    ...renderFlash('firmware', firmware.code, true),
    ...renderFlash('variables', firmware.variables, false),
  ]
}

function renderFlash(node: string, filename: string, readonly: boolean): string[] {
  const file = { driver: 'file', filename, 'read-only': readonly }
  return ['-blockdev', JSON.stringify({ driver: 'raw', 'node-name': node, 'read-only': readonly, file })]
}
