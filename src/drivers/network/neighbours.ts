import { isIPv4, isIPv6 } from 'node:net'
import { runProgram } from '../../world/run-program.js'

/** Somebody that the host has met on a link. */
export interface Neighbour {
  address: string
  mac: string
}

const environment = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` }
/** What the kernel knows best comes first; what failed, or was never answered, is left out. */
const states = ['PERMANENT', 'REACHABLE', 'DELAY', 'PROBE', 'STALE']

/** `ip -json neigh show dev LINK`: IPv4 first, then IPv6, each as sure as the kernel is. */
export function parseNeighbours(text: string): Neighbour[] {
  if (text.trim() === '') return []
  const entries = JSON.parse(text) as { dst?: string; lladdr?: string; state?: string[] }[]
  const rank = ({ dst = '', state = [] }: (typeof entries)[number]) =>
    (isIPv4(dst) ? 0 : dst.startsWith('fe80:') ? 20 : 10) + states.indexOf(state[0] ?? '')
  return entries
    .filter(
      ({ dst = '', lladdr, state }) =>
        (isIPv4(dst) || isIPv6(dst)) && lladdr !== undefined && states.includes(state?.[0] ?? ''),
    )
    .sort((a, b) => rank(a) - rank(b))
    .map(({ dst = '', lladdr = '' }) => ({ address: dst, mac: lladdr.toLowerCase() }))
}

export async function readNeighbours(ifname: string): Promise<Neighbour[]> {
  return parseNeighbours(
    (await runProgram('ip', ['-json', 'neigh', 'show', 'dev', ifname], { env: environment })).stdout,
  )
}

/**
 * Has everybody on a link look for the host: to answer a ping of all IPv6 nodes they must ask for its MAC, and
 * the kernel remembers who asked. What the ping itself says does not matter.
 */
export async function callNeighbours(ifname: string): Promise<void> {
  await runProgram('ping', ['-6', '-q', '-c', '3', '-i', '0.2', '-W', '1', '-I', ifname, 'ff02::1'], {
    timeoutMs: 4_000,
  })
}
