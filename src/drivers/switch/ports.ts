import type { PortRequest } from '../../core/render/artifacts.js'
import { samePort } from '../../core/steps/same.js'
import { askSwitch } from './client.js'
import type { PortInfo } from './protocol.js'

/**
 * Adds a port. A switch that was just started may have it from its state file:
 * the same one is fine, an older one of that name, which is ours, is replaced.
 */
export async function addPort(control: string, port: PortRequest): Promise<void> {
  const there = (await readPorts(control)).find(({ name }) => name === port.name)
  if (there !== undefined) {
    if (samePort(toPortRequest(there), port)) return
    await askSwitch(control, 'port.del', { name: port.name })
  }
  await askSwitch(control, 'port.add', port)
}

/** Removes a port; nothing happens when it, or the whole switch, is not there. */
export async function deletePort(control: string, name: string): Promise<void> {
  const ports = await readPorts(control).catch(() => [])
  if (ports.some((port) => port.name === name)) await askSwitch(control, 'port.del', { name })
}

export async function readPorts(control: string): Promise<PortInfo[]> {
  return (await askSwitch(control, 'port.list')).ports
}

/** A port as it would be asked for, to compare it with what is wanted. */
export function toPortRequest(port: PortInfo): PortRequest {
  const { name, network, mtu, mac_limit } = port
  if (port.kind === 'tap') return { kind: 'tap', name, network, ifname: port.ifname ?? '', mtu, mac_limit }
  return {
    kind: 'vhost-user',
    name,
    network,
    socket: port.socket ?? '',
    role: port.role ?? 'client',
    queues: port.queues,
    mtu,
    mac_limit,
  }
}
