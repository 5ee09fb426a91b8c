/**
 * Spec: what the user wants, checked and with its defaults filled in. It says
 * nothing about the host: what is left to decide ('auto', null) is decided by
 * `makePlan` and explained there.
 */
export interface Spec {
  version: 1
  /** Name of the deployment. */
  name: string
  driver: 'qemu' | 'libvirt'
  /** How libvirt is reached; null: as root qemu:///system, else qemu:///session. */
  connect: string | null
  networks: NetworkSpec[]
  machines: MachineSpec[]
  switch: SwitchSpec
}

/** One broadcast domain. */
export interface NetworkSpec {
  name: string
  mtu: number
  /** Its two interfaces are wired to each other, without lookup. */
  link: boolean
  /** CIDR addresses of the host on this network; empty = the host is not on it. */
  hostAddresses: string[]
  /** What the host hands out on it; null: nothing. */
  dhcp: DhcpSpec | null
  /** Guests reach beyond the host, under the host's own address. */
  nat: boolean
}

/** DHCP for IPv4, and names. */
export interface DhcpSpec {
  /** IPv4 addresses, both included; null: planned from the host's subnet. */
  range: { first: string; last: string } | null
  /** null: for ever. */
  leaseSeconds: number | null
  /** Who answers what dnsmasq does not know: the host's own name servers, or these; null: no names at all. */
  dns: 'host' | string[] | null
  domain: string
}

export interface MachineSpec {
  name: string
  cpus: number
  memoryBytes: number
  hugepages: HugepagePolicy
  /** null: whichever size the host has. */
  hugepageBytes: number | null
  /** Host nodes, one per guest node. */
  nodes: 'auto' | number[]
  /** null: its disks, or the default of `makePlan` when it has none to boot from. */
  boot: BootSpec | 'disk' | 'cdrom' | null
  firmware: 'bios' | 'uefi'
  disks: DiskSpec[]
  /** null: the guest gets no seed. */
  cloudInit: CloudInitSpec | null
  interfaces: InterfaceSpec[]
}

export type HugepagePolicy = 'preferred' | 'required' | 'off'

export interface BootSpec {
  /** Absolute paths; initrd may be empty. */
  kernel: string
  initrd: string
  cmdline: string
}

export interface DiskSpec {
  /** Absolute path of what is on it; null: an empty disk. */
  image: string | null
  /** null: what its header says. */
  format: 'raw' | 'qcow2' | null
  /** null: as large as the image. */
  sizeBytes: number | null
  /**
   * own: the guest writes a file of its own, an overlay of the image; direct: it
   * writes the image itself; readonly and cdrom: it writes nothing.
   */
  use: 'own' | 'direct' | 'readonly' | 'cdrom'
  bus: 'virtio' | 'sata' | 'scsi'
}

/** What cloud-init is told (NoCloud). */
export interface CloudInitSpec {
  /** null: the image's default user. */
  user: string | null
  /** A hash of crypt(3); null: no login with a password. */
  password: string | null
  sshKeys: string[]
  /** null: the machine's name. */
  hostname: string | null
  packages: string[]
  /** Addresses of name servers. */
  dns: string[]
  /** Whether the guest's network is set up too. */
  network: boolean
  /** In place of all but the network and host name. */
  userData: string | null
}

export interface InterfaceSpec {
  network: string
  /** Lower case; null: derived from the names. */
  mac: string | null
  /** Queue pairs; null: planned from the vCPUs. */
  queues: number | null
  carrier: CarrierPolicy
  /** Exchanges no frames with the network's other isolated interfaces. */
  isolated: boolean
  /** Frames a second that may be flooded from it; null for no limit. */
  storm: number | null
  /** null: all VLANs, tagged, where others of the network have VLANs. */
  vlan: VlanSpec | null
  /** What may go to the guest, and come from it; null for no limit. */
  inbound: BandwidthSpec | null
  outbound: BandwidthSpec | null
  /** Who gets a copy of its frames; null for nobody. */
  mirror: MirrorSpec | null
  /** IPv4 addresses that the guest may send from, besides its own MAC; all of them when empty, and from every MAC when null. */
  antispoof: string[] | null
  /** CIDR addresses of the guest, told to it by cloud-init; empty: it asks by DHCP. */
  addresses: string[]
  /** IP address of its router; null: none. */
  gateway: string | null
}

/**
 * Copies for another interface, "vm3" or "vm3/1", which is there for that alone; or for a file, of frames cut
 * to `snaplen`, which ends at `limitBytes`. Inbound is what goes to the guest.
 */
export type MirrorSpec = { direction: 'inbound' | 'outbound' | 'both' } & (
  | { to: string }
  | { file: string; snaplen?: number | undefined; limitBytes: number }
)

/** Units of libvirt's <bandwidth>: average and peak in 1000 bytes a second, burst in 1024 bytes; packets a second. */
export interface BandwidthSpec {
  average?: number | undefined
  peak?: number | undefined
  burst?: number | undefined
  packets?: number | undefined
}

/** An access port's VLAN, never tagged; or those of a trunk, ascending, tagged but for the native one. */
export type VlanSpec = { tag: number } | { trunk: number[]; native?: number }

/** Whether the guest sees its link go down while the switch is away. */
export type CarrierPolicy = 'steady' | 'follow'

export interface SwitchSpec {
  cores: 'auto' | number[]
  /** Where a worker is started when a guest's memory is on a node without one. */
  spareCores: 'auto' | number[]
  idle: 'adaptive' | 'poll'
  /** Who runs it; null: whoever applies. */
  user: string | null
}
