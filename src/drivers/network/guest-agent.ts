import { isIPv4, isIPv6 } from 'node:net'
import type { MachineArtifact } from '../../core/render/artifacts.js'
import { waitFor } from '../../world/wait-for.js'
import { virsh } from '../libvirt/virsh.js'
import { connectLines } from '../line-socket.js'
import type { Neighbour } from './neighbours.js'

/** A guest without an agent never answers. */
const answerLimitMs = 2_000
const question = { execute: 'guest-network-get-interfaces' }

/** The addresses in the agent's answer. The guest says so itself: each is checked to be one, and no more is believed. */
export function parseAgentAddresses(answer: unknown): Neighbour[] {
  const links = (answer as { return?: unknown } | null)?.return
  if (!Array.isArray(links)) return []
  return links.flatMap((link: { 'hardware-address'?: unknown; 'ip-addresses'?: unknown }) => {
    const { 'hardware-address': mac, 'ip-addresses': addresses } = link ?? {}
    if (typeof mac !== 'string' || !Array.isArray(addresses)) return []
    return addresses.flatMap((one: { 'ip-address'?: unknown }): Neighbour[] => {
      const address = one?.['ip-address']
      const isOne = typeof address === 'string' && (isIPv4(address) || isIPv6(address))
      return isOne ? [{ address, mac: mac.toLowerCase() }] : []
    })
  })
}

/** What the agent in the guest says of its addresses; nothing when it does not answer. */
export async function readAgentAddresses(
  { domain }: MachineArtifact,
  agentSocket: string,
): Promise<Neighbour[]> {
  if (domain === undefined) return parseAgentAddresses(await askSocket(agentSocket))
  const words = ['qemu-agent-command', '--timeout', '2', domain.uuid, JSON.stringify(question)]
  const { ok, stdout } = await virsh(domain.connect, words).catch(() => ({ ok: false, stdout: '' }))
  return ok ? parseAgentAddresses(parseJson(stdout)) : []
}

/** Asked behind a number of our own, so that a late answer to somebody else is not taken for ours. */
async function askSocket(path: string): Promise<unknown> {
  const id = process.pid
  const heard: Record<string, unknown>[] = []
  try {
    const socket = await connectLines(path, answerLimitMs, {
      message: (message) => heard.push(message),
      closed: () => undefined,
    })
    try {
      socket.send({ execute: 'guest-sync', arguments: { id } })
      const hears = (what: string, test: (message: Record<string, unknown>) => boolean) =>
        waitFor({ what, limitMs: answerLimitMs, everyMs: 20 }, async () => heard.find(test) ?? null)
      await hears('the guest agent', (message) => message.return === id)
      heard.length = 0
      socket.send(question)
      return await hears('the addresses of the guest agent', (message) => Array.isArray(message.return))
    } finally {
      socket.close()
    }
  } catch {
    return null
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
