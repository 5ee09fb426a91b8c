import type { DhcpArtifact, NatArtifact } from '../render/artifacts.js'
import type { Step } from './steps.js'

/** Steps on what the host does for a network. */

/** `first`: nothing of it was there, so an undo leaves nothing. */
export function startDhcp(dhcp: DhcpArtifact, first: boolean): Step {
  const { network, ifname } = dhcp
  return {
    id: `start-dhcp ${network}`,
    label: `start dnsmasq for network ${network} on ${ifname}`,
    action: { do: 'start-dhcp', dhcp },
    undo: { do: 'stop-dhcp', dhcp, remove: first },
    verify: { expect: 'dhcp', dhcp, running: true },
  }
}

/** `remove`: its files go too, with the leases. */
export function stopDhcp(dhcp: DhcpArtifact, remove: boolean): Step {
  const { network, ifname } = dhcp
  return {
    id: `stop-dhcp ${network}`,
    label: `stop dnsmasq of network ${network} on ${ifname}`,
    action: { do: 'stop-dhcp', dhcp, remove },
    undo: { do: 'start-dhcp', dhcp },
    verify: { expect: 'dhcp', dhcp, running: false },
  }
}

/** `before`: what an undo sets again; null = nothing. */
export function setNat(nat: NatArtifact, before: NatArtifact | null): Step {
  const { network, table } = nat
  return {
    id: `set-nat ${network}`,
    label: `let network ${network} reach beyond the host (nftables table ip ${table})`,
    action: { do: 'set-nat', nat },
    undo: before === null ? { do: 'delete-nat', nat } : { do: 'set-nat', nat: before },
    verify: { expect: 'nat', nat, present: true },
  }
}

export function deleteNat(nat: NatArtifact): Step {
  const { network, table } = nat
  return {
    id: `delete-nat ${network}`,
    label: `delete nftables table ip ${table} of network ${network}`,
    action: { do: 'delete-nat', nat },
    undo: { do: 'set-nat', nat },
    verify: { expect: 'nat', nat, present: false },
  }
}
