/**
 * Artifacts: the exact texts and requests that carry a Plan out. They can be
 * rendered into any folder (`vhostkit render --to DIR`) and compared with Live.
 */
import type { HugepageNeed, PortPolicy } from '../plan/plan.js'

export interface Artifacts {
  version: 1
  deployment: string
  switch: { argv: string[]; control: string }
  /** Hugepages that all machines need together. */
  hugepages: HugepageNeed[]
  taps: TapArtifact[]
  /** Left out: none. */
  dhcp?: DhcpArtifact[]
  nat?: NatArtifact[]
  ports: PortRequest[]
  machines: MachineArtifact[]
}

export interface TapArtifact {
  ifname: string
  mtu: number
  addresses: string[]
  /** Who may attach to it, when that is not root: the user of the switch. */
  user?: string
}

/** A dnsmasq for one tap. Names of files are on its command line, where no character means anything. */
export interface DhcpArtifact {
  network: string
  ifname: string
  folder: string
  argv: string[]
  configFile: string
  config: string
  leaseFile: string
  pidFile: string
  /** What it says when it cannot start; then it speaks to syslog. */
  log: string
}

/** A table of nftables, replaced as a whole. */
export interface NatArtifact {
  network: string
  ifname: string
  /** The program nft. */
  program: string
  table: string
  ruleset: string
  /** What must be found of it, in this order: its chains, and its rules by their comments. */
  marks: string[]
  /** Who uses forwarding, and what it was before. */
  account: string
  user: string
}

/** The parameters of the switch's `port.add` (native/PROTOCOL.md), complete. */
export type PortRequest =
  | {
      kind: 'vhost-user'
      name: string
      network: string
      socket: string
      role: 'client' | 'server'
      queues: number
      mtu: number
      mac_limit: number
      policy?: PortPolicy
    }
  | { kind: 'tap'; name: string; network: string; ifname: string; mtu: number; mac_limit: number }

export interface MachineArtifact {
  name: string
  /** The machine's own runtime folder, created 0700 before QEMU starts. */
  folder: string
  /** argv[0] is the QEMU program. */
  argv: string[]
  qmpSocket: string
  consoleSocket: string
  pidFile: string
  log: string
  /** Ports that must be registered in the switch before QEMU starts. */
  ports: string[]
  /** This machine's share of `Artifacts.hugepages`; must be free when QEMU starts. */
  hugepages: HugepageNeed[]
  /** Host CPUs that QEMU may run on (the driver starts it so); empty = any. */
  hostCpus: number[]
  /** What of its own must be there before it starts; left out: nothing. */
  files?: FileArtifact[]
  /** Only with the driver libvirt, which then starts QEMU itself: argv is empty. */
  domain?: DomainArtifact
}

/** A file that we make once. Disks and firmware variables hold what a guest wrote. */
export type FileArtifact =
  | {
      kind: 'disk'
      path: string
      backing: { path: string; format: 'raw' | 'qcow2' } | null
      /** null: as large as the backing. */
      bytes: number | null
    }
  | { kind: 'seed'; path: string; files: { name: string; text: string }[] }
  | { kind: 'variables'; path: string; template: string }

export interface DomainArtifact {
  /** The URI for `virsh --connect`. */
  connect: string
  name: string
  uuid: string
  xml: string
  /** Who runs QEMU, so must be able to make sockets in the folder; null: we ourselves. */
  uid: number | null
}
