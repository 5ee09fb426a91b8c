/** What is decided of a network: the host on it, and what the host does for its guests. */

export interface NetworkPlan {
  name: string
  mtu: number
  /** The host's own address on the network, through a persistent tap; null without `host:`. */
  tap: TapPlan | null
  /** Left out: nothing is handed out. */
  dhcp?: DhcpPlan
  /** Left out: guests reach the host at most. */
  nat?: NatPlan
}

/** A dnsmasq of the network's own. Addresses are IPv4. */
export interface DhcpPlan {
  program: string
  /** Whom it becomes once its sockets are open. */
  user: string
  group: string
  /** Of its files; the leases do not outlive a reboot. */
  folder: string
  /** The host's address, and the netmask of its subnet. */
  address: string
  netmask: string
  first: string
  last: string
  /** null: for ever. */
  leaseSeconds: number | null
  /** Whether guests are told to reach others through the host. */
  router: boolean
  /** As in the spec. */
  dns: 'host' | string[] | null
  domain: string
  hosts: DhcpHostPlan[]
}

/** A card that dnsmasq knows: name and address are its own; null: it has none. */
export interface DhcpHostPlan {
  mac: string
  name: string | null
  address: string | null
}

export interface NatPlan {
  /** The program nft. */
  program: string
  /** Its table, which nobody else has. */
  table: string
  /** IPv4, as in "192.168.77.0/24". */
  subnets: string[]
}

export interface TapPlan {
  /** Switch port name. */
  port: string
  /** Interface name, at most 15 characters. */
  ifname: string
  /** CIDR, as in "192.168.77.1/24"; one per address. */
  addresses: string[]
}
