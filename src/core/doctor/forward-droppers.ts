/** A chain of others that sees what is forwarded and drops what no rule of it accepts. */
export interface Dropper {
  /** Who set it: what iptables-nft sets is nftables', what iptables-legacy sets is in a table of its own. */
  by: 'nftables' | 'iptables-legacy'
  family: string
  table: string
  chain: string
  /** The chain for rules of the host's owner: Docker has one, which it leaves alone. */
  ownRules: string
}

/** Those in `nft -j list chains`. */
export function parseNftDroppers(text: string): Dropper[] {
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
    .map(({ family, table, name }) => ({ by: 'nftables', family, table, chain: name, ownRules: name }))
}

/**
 * Those in `iptables-legacy-save`, which prints the tables that the kernel has: "*filter", a line a chain with its
 * policy (":FORWARD DROP [0:0]"), then the rules. The first rule without a condition decides, else the policy.
 */
export function parseLegacyDroppers(text: string): Dropper[] {
  return text.split(/^\*/m).flatMap((part): Dropper[] => {
    const [table = '', ...lines] = part.split('\n')
    const verdicts = lines.flatMap((line) => unconditional.exec(line)?.[1] ?? [])
    const policy = lines.flatMap((line) => /^:FORWARD (\w+) /.exec(line)?.[1] ?? [])
    if (!['DROP', 'REJECT'].includes([...verdicts, ...policy][0] ?? '')) return []
    const docker = lines.some((line) => line.startsWith(':DOCKER-USER '))
    const ownRules = docker ? 'DOCKER-USER' : 'FORWARD'
    return [{ by: 'iptables-legacy', family: 'ip', table, chain: 'FORWARD', ownRules }]
  })
}

const unconditional =
  /^-A FORWARD (?:-m comment --comment (?:"[^"]*"|\S+) )?-j (ACCEPT|DROP|REJECT)(?: --reject-with \S+)?$/
