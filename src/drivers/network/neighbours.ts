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

/** Who answered, in the output of `ping`: link-local addresses, each once. */
export function parseAnswers(text: string): string[] {
  const answers = [...text.matchAll(/ from (fe80:[0-9a-f:]*[0-9a-f])(?:%\S+)?: icmp_seq=/g)]
  return [...new Set(answers.map(([, address]) => address ?? ''))]
}

/** A flood of answers is nobody's that we look for. */
const mostCalled = 64

/**
 * Has everybody on a link show himself: all IPv6 nodes are pinged at once, then each that answered alone, for
 * which the kernel must learn his MAC. What the pings themselves say does not matter.
 */
export async function callNeighbours(ifname: string): Promise<void> {
  const all = await ping(['-c', '8', '-i', '0.2', '-W', '1', '-I', ifname, 'ff02::1'])
  const answers = parseAnswers(all.stdout).slice(0, mostCalled)
  await Promise.all(answers.map((address) => ping(['-c', '1', '-W', '1', '-I', ifname, address])))
}

function ping(words: string[]) {
  return runProgram('ping', ['-6', '-n', ...words], { timeoutMs: 5_000 })
}
