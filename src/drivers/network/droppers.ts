import type { NatArtifact } from '../../core/render/artifacts.js'
import { runProgram } from '../../world/run-program.js'

/** A chain of nftables that sees what is forwarded and drops what no rule of it accepts. */
export interface Dropper {
  family: string
  table: string
  chain: string
}

/** Those in `nft -j list chains`. What iptables-nft set is among them, what iptables-legacy set is not. */
export function parseDroppers(text: string): Dropper[] {
  interface Entry {
    chain?: { family: string; table: string; name: string; hook?: string; policy?: string }
  }
  const { nftables } = JSON.parse(text) as { nftables: Entry[] }
  return nftables
    .flatMap(({ chain }) => chain ?? [])
    .filter(
      ({ family, hook, policy }) =>
        hook === 'forward' && policy === 'drop' && ['ip', 'inet'].includes(family),
    )
    .map(({ family, table, name }) => ({ family, table, chain: name }))
}

/** Of all those, the ones whose table does not name the tap: "ip filter FORWARD". */
export async function readDroppers({ program, ifname, table: own }: NatArtifact): Promise<string[]> {
  const { ok, stdout } = await runProgram(program, ['-j', 'list', 'chains'])
  if (!ok) return []
  const others = parseDroppers(stdout).filter(({ table }) => table !== own)
  const texts = await Promise.all(
    others.map(({ family, table }) => runProgram(program, ['list', 'table', family, table])),
  )
  return others
    .filter((_, index) => texts[index]?.stdout.includes(ifname) !== true)
    .map(({ family, table, chain }) => `${family} ${table} ${chain}`)
}
