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
  /** null: the default of `makePlan`. */
  boot: BootSpec | null
  interfaces: InterfaceSpec[]
}

export type HugepagePolicy = 'preferred' | 'required' | 'off'

export interface BootSpec {
  /** Absolute paths; initrd may be empty. */
  kernel: string
  initrd: string
  cmdline: string
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
}
