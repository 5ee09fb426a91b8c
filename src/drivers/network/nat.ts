import { VhostkitError } from '../../core/errors.js'
import type { NatArtifact } from '../../core/render/artifacts.js'
import { sameNat } from '../../core/steps/find-network-changes.js'
import type { LiveNat } from '../../core/steps/steps.js'
import { runProgram } from '../../world/run-program.js'
import { giveForwarding, holdsForwarding, readForwarding, takeForwarding } from './forwarding.js'

/** Replaces the network's own table, and has the host forward. */
export async function setNat(nat: NatArtifact): Promise<void> {
  await takeForwarding(nat.account, nat.user)
  await load(nat, nat.ruleset)
}

/** Removes the table, and gives forwarding back when nobody else uses it. Nothing happens when neither is there. */
export async function deleteNat(nat: NatArtifact): Promise<void> {
  if ((await readMarks(nat)) !== null) await load(nat, `delete table ip ${nat.table}\n`)
  await giveForwarding(nat.account, nat.user)
}

/** What is there of some networks' NAT; those of which nothing is there are left out. */
export async function readLiveNat(artifacts: NatArtifact[]): Promise<LiveNat[]> {
  const forwarding = artifacts.length > 0 && (await readForwarding())
  const live = await Promise.all(
    artifacts.map(async (nat): Promise<LiveNat> => {
      const [marks, held] = await Promise.all([readMarks(nat), holdsForwarding(nat.account, nat.user)])
      return { nat, marks, held, forwarding }
    }),
  )
  return live.filter(({ marks, held }) => marks !== null || held)
}

export async function isNatSet(nat: NatArtifact): Promise<boolean> {
  return (await readLiveNat([nat])).some((live) => sameNat(nat, live))
}

/** Chains and rules of a table, as `nft -j list table` prints them: "forward filter forward accept", "forward vhostkit 1a2b3c4d 0". */
export function parseMarks(text: string): string[] {
  interface Entry {
    chain?: { name: string; type?: string; hook?: string; policy?: string }
    rule?: { chain: string; comment?: string }
  }
  const { nftables } = JSON.parse(text) as { nftables: Entry[] }
  const chains = nftables.flatMap(({ chain }) => chain ?? [])
  const rules = nftables.flatMap(({ rule }) => rule ?? [])
  return chains.flatMap(({ name, type, hook, policy }) => [
    `${name} ${type} ${hook} ${policy}`,
    ...rules.filter(({ chain }) => chain === name).map(({ comment }) => `${name} ${comment ?? 'no comment'}`),
  ])
}

async function readMarks({ program, table }: NatArtifact): Promise<string[] | null> {
  const { ok, stdout } = await runProgram(program, ['-j', 'list', 'table', 'ip', table])
  return ok ? parseMarks(stdout) : null
}

async function load({ program, network }: NatArtifact, text: string): Promise<void> {
  const { ok, failure, stderr } = await runProgram(program, ['-f', '-'], { input: text })
  if (ok) return
  throw new VhostkitError('nat-failed', {
    sentence: `nft refused the rules of network ${network}: ${failure}.`,
    cause: stderr,
  })
}
