import { readText } from '../../world/files.js'
import type { SwitchInfo } from '../switch/protocol.js'

/** Who starts the switch again when it ends. */
export interface Supervision {
  by: 'systemd' | 'vhostkit' | 'nobody'
  /** Of systemd, when the kernel tells. */
  unit: string | null
}

export async function readSupervision({ pid, supervisor_pid, service }: SwitchInfo): Promise<Supervision> {
  if (service !== null)
    return { by: 'systemd', unit: parseUnit((await readText(`/proc/${pid}/cgroup`)) ?? '') }
  return { by: supervisor_pid > 0 ? 'vhostkit' : 'nobody', unit: null }
}

/** The service that a process belongs to, from its /proc/PID/cgroup. */
export function parseUnit(text: string): string | null {
  return /\/([\w@:.\\-]+\.service)(?:\/|$)/m.exec(text)?.[1] ?? null
}
