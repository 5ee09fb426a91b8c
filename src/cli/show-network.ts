import type { NetworkStatus } from '../apply/network-status.js'

/** What the host does for a network, a line for each. */
export function showNetwork({ network, dhcp, nat }: NetworkStatus): string[] {
  const lent = dhcp?.leases.map(({ address, name, mac }) => `${address} to ${name ?? mac}`) ?? []
  const leases = lent.length === 0 ? '' : `; lent ${lent.join(', ')}`
  return [
    ...(dhcp === null
      ? []
      : [
          `dhcp on ${network}: ${dhcp.pid === 0 ? 'DEAD; apply again' : `dnsmasq runs, pid ${dhcp.pid}`}${leases}`,
        ]),
    ...(nat === null ? [] : [`nat of ${network}: ${showNat(nat)}`]),
  ]
}

function showNat({ table, state, forwarding }: NonNullable<NetworkStatus['nat']>): string {
  const faults = [
    ...(state === 'set' ? [] : [`TABLE ${state.toUpperCase()}`]),
    ...(forwarding ? [] : ['IP_FORWARD IS OFF']),
  ]
  return `nftables table ip ${table}${faults.length === 0 ? '' : `: ${faults.join(', ')}; apply again`}`
}
