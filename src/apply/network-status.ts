import type { NetworkSight } from '../core/doctor/examine-networks.js'
import type { Artifacts, NatArtifact } from '../core/render/artifacts.js'
import { sameNat } from '../core/steps/find-network-changes.js'
import { readDhcpPid } from '../drivers/network/dhcp.js'
import { readDroppers } from '../drivers/network/droppers.js'
import { readForwarding } from '../drivers/network/forwarding.js'
import { type Lease, readLeases } from '../drivers/network/leases.js'
import { readLiveNat } from '../drivers/network/nat.js'
import type { Receipt } from './receipt.js'

/** What the host does for a network, as it is now. */
export interface NetworkStatus {
  network: string
  ifname: string
  /** pid 0: its dnsmasq is dead; null: it has none. */
  dhcp: { pid: number; leases: Lease[] } | null
  /** null: it has none. */
  nat: NetworkSight['nat']
}

/** The networks of a deployment for which the host does something. */
export async function readNetworkStatus({ dhcp = [], nat = [] }: Artifacts): Promise<NetworkStatus[]> {
  const all = [...dhcp, ...nat]
  const names = [...new Set(all.map(({ network }) => network))]
  return Promise.all(
    names.map(async (network): Promise<NetworkStatus> => {
      const server = dhcp.find((one) => one.network === network)
      const table = nat.find((one) => one.network === network)
      const ifname = all.find((one) => one.network === network)?.ifname ?? ''
      return {
        network,
        ifname,
        dhcp:
          server === undefined
            ? null
            : { pid: (await readDhcpPid(server)) ?? 0, leases: await readLeases(server.leaseFile) },
        nat: table === undefined ? null : await readNatStatus(table),
      }
    }),
  )
}

async function readNatStatus(nat: NatArtifact): Promise<NonNullable<NetworkSight['nat']>> {
  const [[live], forwarding] = await Promise.all([readLiveNat([nat]), readForwarding()])
  const marks = live?.marks ?? null
  const isSet = live !== undefined && sameNat(nat, { ...live, held: true, forwarding: true })
  return { table: nat.table, state: marks === null ? 'missing' : isSet ? 'set' : 'changed', forwarding }
}

/** The same for `doctor`, with what others of the host drop. */
export async function readNetworkSights({ deployment, artifacts }: Receipt): Promise<NetworkSight[]> {
  const networks = await readNetworkStatus(artifacts)
  return Promise.all(
    networks.map(async ({ network, ifname, dhcp, nat }): Promise<NetworkSight> => {
      const table = artifacts.nat?.find((one) => one.network === network)
      const droppers = table === undefined ? [] : await readDroppers(table)
      return { deployment, network, ifname, dhcp: dhcp === null ? null : dhcp.pid, nat, droppers }
    }),
  )
}
