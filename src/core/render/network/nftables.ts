import type { NatPlan, NetworkPlan, Plan } from '../../plan/plan.js'
import { contentId } from '../../spec/names.js'
import type { NatArtifact } from '../artifacts.js'

/** The table of nftables of a network, if it has one. */
export function renderNat(
  { deployment, folders }: Pick<Plan, 'deployment' | 'folders'>,
  { name, tap, nat }: NetworkPlan,
): NatArtifact[] {
  if (nat === undefined || tap === null) return []
  const { program, table } = nat
  const chains = renderChains(tap.ifname, nat)
  const id = contentId(JSON.stringify(chains))
  const marks = chains.flatMap(({ chain, head, rules }) => [
    `${chain} ${head}`,
    ...rules.map((_, index) => `${chain} vhostkit ${id} ${index}`),
  ])
  return [
    {
      network: name,
      ifname: tap.ifname,
      program,
      table,
      ruleset: renderTable(table, chains, id),
      marks,
      account: `${folders.state}/forwarding.json`,
      user: `${deployment}/${name}`,
    },
  ]
}

interface Chain {
  chain: string
  /** Type, hook, priority: what nft prints of them in JSON has the same words. */
  head: string
  priority: string
  rules: string[]
}

/**
 * What the guests send goes anywhere but to other networks of the switch; to them come only answers.
 * `accept` is this table's word alone: a chain of somebody else may still drop.
 */
function renderChains(ifname: string, { subnets }: NatPlan): Chain[] {
  const own = subnets.length === 1 ? subnets[0] : `{ ${subnets.join(', ')} }`
  return [
    {
      chain: 'forward',
      head: 'filter forward accept',
      priority: 'filter',
      rules: [
        `iifname "${ifname}" oifname "vk*" drop`,
        `iifname "${ifname}" ip saddr ${own} accept`,
        `iifname "${ifname}" drop`,
        `oifname "${ifname}" ct state established,related accept`,
        `oifname "${ifname}" drop`,
      ],
    },
    {
      chain: 'postrouting',
      head: 'nat postrouting accept',
      priority: 'srcnat',
      rules: [`ip saddr ${own} oifname != "${ifname}" masquerade`],
    },
  ]
}

/** In one transaction: the table as it was, if there was one, makes room for the new one. */
function renderTable(table: string, chains: Chain[], id: string): string {
  const blocks = chains.map(({ chain, head, priority, rules }) => {
    const [type = '', hook = '', policy = ''] = head.split(' ')
    return [
      `\tchain ${chain} {`,
      `\t\ttype ${type} hook ${hook} priority ${priority}; policy ${policy};`,
      ...rules.map((rule, index) => `\t\t${rule} comment "vhostkit ${id} ${index}"`),
      '\t}',
    ].join('\n')
  })
  return `table ip ${table}\ndelete table ip ${table}\ntable ip ${table} {\n${blocks.join('\n')}\n}\n`
}
