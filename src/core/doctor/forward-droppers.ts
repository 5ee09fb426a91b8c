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

/** A table of nftables. */
export interface NftTable {
  family: string
  table: string
}

interface NftObject {
  chain?: { family: string; table: string; name: string; hook?: string; policy?: string }
  rule?: { family: string; table: string; chain: string; expr: Record<string, unknown>[] }
}

/** The tables with a chain that sees what is forwarded, in `nft -j list chains`. */
export function parseForwardTables(text: string): NftTable[] {
  const tables = forwardChains(parseNft(text)).map(({ family, table }): NftTable => ({ family, table }))
  return tables.filter(
    ({ family, table }, index) =>
      tables.findIndex((other) => other.family === family && other.table === table) === index,
  )
}

/** Those in `nft -j list table FAMILY NAME`: by the first rule without a condition, else by the policy. */
export function parseNftDroppers(text: string): Dropper[] {
  const objects = parseNft(text)
  const rules = objects.flatMap(({ rule }) => rule ?? [])
  const rulesOf = (chain: string) => rules.filter((rule) => rule.chain === chain).map(({ expr }) => expr)
  return forwardChains(objects)
    .filter(({ name, policy }) => (verdictOf(name, rulesOf, []) ?? policy) === 'drop')
    .map(({ family, table, name }) => ({ by: 'nftables', family, table, chain: name, ownRules: name }))
}

function parseNft(text: string): NftObject[] {
  return (JSON.parse(text) as { nftables: NftObject[] }).nftables
}

function forwardChains(objects: NftObject[]) {
  return objects
    .flatMap(({ chain }) => chain ?? [])
    .filter(({ family, hook }) => hook === 'forward' && ['ip', 'inet'].includes(family))
}

/** What a chain does with every frame that reaches its end; null: it gives it back to who called it. */
function verdictOf(
  chain: string,
  rulesOf: (chain: string) => Record<string, unknown>[][],
  callers: string[],
): 'accept' | 'drop' | null {
  // The kernel takes no loop; a ruleset that was cut while it was read might show one.
  if (callers.includes(chain)) return null
  for (const expr of rulesOf(chain)) {
    const [action, ...more] = expr.filter((one) => !isPassive(one))
    if (action === undefined || more.length > 0) continue
    if ('accept' in action) return 'accept'
    if ('drop' in action || 'reject' in action || isOfIptables(action, 'REJECT')) return 'drop'
    if ('return' in action) return null
    const { target } = (action.goto ?? action.jump ?? {}) as { target?: string }
    if (target === undefined) continue
    const verdict = verdictOf(target, rulesOf, [...callers, chain])
    if (verdict !== null || 'goto' in action) return verdict
  }
  return null
}

/** A statement that neither matches nor decides. */
function isPassive(statement: Record<string, unknown>): boolean {
  const passive = ['counter', 'log', 'mangle']
  return Object.keys(statement).every((key) => passive.includes(key)) || isOfIptables(statement, 'comment')
}

/** What iptables-nft has by an extension of iptables. */
function isOfIptables({ xt }: Record<string, unknown>, name: string): boolean {
  return (xt as { name?: string } | null | undefined)?.name === name
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
