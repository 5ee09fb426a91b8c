import type { Artifacts, DhcpArtifact, NatArtifact } from '../render/artifacts.js'
import { sameArgv } from './same.js'
import type { Live, LiveDhcp, LiveNat } from './steps.js'

/** What must change of what the host does for networks. */
export interface NetworkChanges {
  stopDhcp: { dhcp: DhcpArtifact; remove: boolean }[]
  startDhcp: { dhcp: DhcpArtifact; first: boolean }[]
  setNat: { nat: NatArtifact; before: NatArtifact | null }[]
  deleteNat: NatArtifact[]
}

/** dnsmasq starts anew when its tap does: it holds on to the old one. */
export function findNetworkChanges(wanted: Artifacts, live: Live, newTaps: Set<string>): NetworkChanges {
  const { dhcp = [], nat = [] } = wanted
  const there = (one: DhcpArtifact) => live.dhcp.find((other) => other.dhcp.folder === one.folder)
  const changed = dhcp.filter((one) => !newDhcpFits(one, there(one), newTaps))
  return {
    stopDhcp: [
      ...live.dhcp
        .filter((one) => !dhcp.some(({ folder }) => folder === one.dhcp.folder))
        .map((one) => ({ dhcp: one.dhcp, remove: true })),
      ...changed
        .flatMap((one) => there(one) ?? [])
        .filter(({ pid }) => pid > 0)
        .map((one) => ({ dhcp: one.dhcp, remove: false })),
    ],
    startDhcp: changed.map((one) => ({ dhcp: one, first: there(one) === undefined })),
    setNat: nat
      .filter((one) => !live.nat.some((other) => sameNat(one, other)))
      .map((one) => ({ nat: one, before: live.nat.find((other) => isOf(one, other))?.nat ?? null })),
    deleteNat: live.nat.filter((one) => !nat.some((other) => isOf(other, one))).map((one) => one.nat),
  }
}

function newDhcpFits(wanted: DhcpArtifact, live: LiveDhcp | undefined, newTaps: Set<string>): boolean {
  if (live === undefined || live.pid === 0 || newTaps.has(wanted.ifname)) return false
  return live.dhcp.config === wanted.config && sameArgv(wanted.argv, live.dhcp.argv)
}

/** Every rule is there and no other, and the host forwards. */
export function sameNat(wanted: NatArtifact, live: LiveNat): boolean {
  const { marks, held, forwarding } = live
  return (
    isOf(wanted, live) && held && forwarding && marks !== null && marks.join('\n') === wanted.marks.join('\n')
  )
}

function isOf({ table }: NatArtifact, live: LiveNat): boolean {
  return live.nat.table === table
}
