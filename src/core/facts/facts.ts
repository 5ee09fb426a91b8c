/**
 * Facts: what the host is. Plain data, captured by `src/host`, printable by
 * `vhostkit doctor --json` and storable as a fixture under `test/hosts`.
 */

/** Hugepages of one size on one NUMA node (sysfs `node*\/hugepages/hugepages-*kB`). */
export interface HugepagePool {
  /** Page size in bytes. */
  pageBytes: number
  /** Pages reserved (`nr_hugepages`). */
  total: number
  /** Pages that nobody has mapped or was promised (`free_hugepages` without `resv_hugepages`). */
  free: number
}

export interface NumaNode {
  id: number
  /** Online CPUs, ascending. */
  cpus: number[]
  /** Bytes in all, and bytes free (MemTotal, MemFree of the node's meminfo). */
  memoryBytes: number
  freeBytes: number
  /** Ascending by page size. */
  hugepages: HugepagePool[]
}

/** Whether KVM really runs a guest, not only whether /dev/kvm opens. */
export interface KvmFact {
  usable: boolean
  /** One sentence: how that was found out. */
  why: string
}

/** Who runs QEMU for libvirt's system instance; null where that user cannot be told. */
export interface LibvirtUser {
  name: string
  uid: number
}

/** An image that a spec names, or a disk of ours, as its header says. */
export interface ImageFact {
  path: string
  format: 'raw' | 'qcow2'
  /** What a guest sees of it. */
  bytes: number
  /** What it lies over; null: nothing. */
  backing: string | null
  /** Device and inode, so that two paths of one file are known. */
  identity: string
  /** Why it cannot be used; null: it can. */
  fault: string | null
}

/** The card by which frames leave the host (that of its default route), and its NUMA node. */
export interface UplinkFact {
  name: string
  node: number
}

export interface Facts {
  version: 1
  /** Ascending by id; a host without NUMA has one node 0. */
  nodes: NumaNode[]
  kvm: KvmFact
  /** "7.2.22" and so on; null when not installed. */
  qemu: { path: string; version: string } | null
  libvirt: { version: string; user: LibvirtUser | null } | null
  /** The path of the native switch, or null when it is not built. */
  switchPath: string | null
  /** Effective uid of the process that read the facts. */
  uid: number
  /** Network interfaces that exist now (names; a tap of ours may be among them). */
  links: string[]
  /** null or missing: the host has no default route, or its card is on no node. */
  uplink?: UplinkFact | null
  /** Whether hugepages can be reserved by this user (nr_hugepages writable). */
  canReserveHugepages: boolean
  /** Whether taps can be made by this user (/dev/net/tun and CAP_NET_ADMIN). */
  canCreateTaps: boolean
  /** IPv4 subnets that the host has routes to, and through which link; without the default route. */
  routes: { subnet: string; link: string }[]
  /** dnsmasq, and as whom it can run without rights; null when either is missing. */
  dnsmasq: { path: string; user: string; group: string } | null
  /** Path of nft; null when it is not installed. */
  nft: string | null
  /** Of those that a spec concerns, the ones that are there. */
  images: ImageFact[]
  /** Of the kernels and RAM disks that a spec names, those that are not there. */
  missing?: string[]
  /** UEFI without Secure Boot, and what its variables are a copy of; null when it is not installed. */
  uefi: { code: string; variables: string } | null
  /** Which of the programs that make disks and seeds are there. */
  makers: ('qemu-img' | 'xorriso')[]
}
