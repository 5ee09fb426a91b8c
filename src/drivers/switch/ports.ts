import { VhostkitError } from '../../core/errors.js'
import type { PortMirror, PortPolicy, PortRate } from '../../core/plan/plan.js'
import type { PortRequest } from '../../core/render/artifacts.js'
import type { VlanSpec } from '../../core/spec/spec.js'
import { samePort } from '../../core/steps/same-port.js'
import type { Verdict } from '../driver.js'
import { askIfAny, askSwitch } from './client.js'
import type { PortInfo } from './protocol.js'
import { openToSwitch } from './run-folder.js'

/**
 * Adds a port. A switch that was just started may have it from its state file:
 * the same one is fine, an older one of that name, which is ours, is replaced.
 */
export async function addPort(control: string, port: PortRequest): Promise<void> {
  if (port.kind === 'vhost-user') await openToSwitch(control, port.socket)
  const there = await findPort(control, port.name)
  if (there !== undefined) {
    if (samePort(toPortRequest(there), port)) return
    await askSwitch(control, 'port.del', { name: port.name })
  }
  try {
    await askSwitch(control, 'port.add', port)
  } catch (error) {
    // A switch that crashed on the way saved it first, and has it from its state file.
    const now = isRefusal(error, 'port-exists') ? await findPort(control, port.name) : undefined
    if (now === undefined || !samePort(toPortRequest(now), port)) throw error
  }
}

/** Lets a switch that was just started into the folders of its ports: the one before may have been another user. */
export async function openPorts(control: string): Promise<void> {
  for (const { socket } of (await readPortsIfAny(control)) ?? []) {
    if (socket !== null) await openToSwitch(control, socket)
  }
}

/** Gives a port that stays another policy. */
export async function setPolicy(control: string, name: string, policy: PortPolicy): Promise<void> {
  await askSwitch(control, 'port.set', { name, policy })
}

export async function checkPolicy(control: string, wanted: PortRequest): Promise<Verdict> {
  const port = (await readPortsIfAny(control))?.find(({ name }) => name === wanted.name)
  return {
    ok: port !== undefined && samePort(toPortRequest(port), wanted),
    found: `port ${wanted.name} ${port === undefined ? 'is not there' : `has ${JSON.stringify(port.policy ?? {})}`}`,
  }
}

/**
 * Removes a port, a lost one too; nothing happens when it is not there.
 * @returns false when the switch is off, which will have it again from its state file.
 */
export async function deletePort(control: string, name: string, limitMs?: number): Promise<boolean> {
  try {
    return (await askIfAny(control, 'port.del', { name }, limitMs)) !== null
  } catch (error) {
    if (!isRefusal(error, 'port-unknown')) throw error
    return true
  }
}

async function findPort(control: string, name: string): Promise<PortInfo | undefined> {
  return (await readPorts(control)).find((port) => port.name === name)
}

/** The ports; null when nobody listens. A switch that is only slow, or crashed just now, is no switch that is gone. */
export async function readPortsIfAny(control: string): Promise<PortInfo[] | null> {
  return (await askIfAny(control, 'port.list'))?.ports ?? null
}

function isRefusal(error: unknown, reason: string): boolean {
  return error instanceof VhostkitError && error.cause === reason
}

export async function readPorts(control: string): Promise<PortInfo[]> {
  return (await askSwitch(control, 'port.list')).ports
}

/** A port as it would be asked for, to compare it with what is wanted. */
export function toPortRequest(port: PortInfo): PortRequest {
  const { name, network, mtu, mac_limit, policy } = port
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
    ...(policy === undefined ? {} : { policy: inOrder(policy) }),
  }
}

/** The keys as the plan has them: ports are compared as text. */
function inOrder({ isolated, link, storm, vlan, rate, macs, ipv4, mirror }: PortPolicy): PortPolicy {
  return {
    ...(isolated && { isolated }),
    ...(link && { link }),
    ...(storm && { storm }),
    ...(vlan && { vlan: vlanInOrder(vlan) }),
    ...(rate && {
      rate: { ...(rate.rx && { rx: rateInOrder(rate.rx) }), ...(rate.tx && { tx: rateInOrder(rate.tx) }) },
    }),
    ...(macs && { macs }),
    ...(ipv4 && { ipv4 }),
    ...(mirror && { mirror: mirrorInOrder(mirror) }),
  }
}

function vlanInOrder(vlan: VlanSpec): VlanSpec {
  if ('tag' in vlan) return vlan
  const { trunk, native } = vlan
  return native === undefined ? { trunk } : { trunk, native }
}

function mirrorInOrder(mirror: PortMirror): PortMirror {
  if ('to' in mirror) return { to: mirror.to, direction: mirror.direction }
  const { file, direction, snaplen, limit } = mirror
  return { file, direction, ...(snaplen && { snaplen }), limit }
}

function rateInOrder({ bytes, burst, peak, frames }: PortRate): PortRate {
  return {
    ...(bytes && { bytes }),
    ...(burst && { burst }),
    ...(peak && { peak }),
    ...(frames && { frames }),
  }
}
