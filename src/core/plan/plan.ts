/**
 * Plan: every decision, with its reason. No optional fields; the same Spec and
 * Facts always give the same Plan, so MACs, UUIDs and paths are hashed from the
 * spec (`core/spec/names.ts`).
 */

import type { CarrierPolicy, VlanSpec } from '../spec/spec.js'
import type { NetworkPlan } from './network-plan.js'

export type { DhcpHostPlan, DhcpPlan, NatPlan, NetworkPlan, TapPlan } from './network-plan.js'

export interface Plan {
  version: 1
  /** The spec's `name`: one deployment, one receipt, one set of machines. */
  deployment: string
  driver: 'qemu' | 'libvirt'
  accel: 'kvm' | 'tcg'
  /** The QEMU program, from the facts. */
  qemu: string
  /** Absolute folders, given to makePlan (never read from the environment there). */
  folders: Folders
  switch: SwitchPlan
  networks: NetworkPlan[]
  machines: MachinePlan[]
  /** Only with the driver libvirt. */
  libvirt?: LibvirtPlan
  /** Hugepages that must be free before the machines start, summed per node and size. */
  hugepages: HugepageNeed[]
  reasons: Reason[]
}

export interface LibvirtPlan {
  /** The URI for `virsh --connect`. */
  connect: string
  /** Who runs QEMU, when that is another user: machine folders are his. */
  user: { name: string; uid: number } | null
}

export interface Folders {
  /** Runtime files: sockets, pids, logs. One folder per machine below it. */
  run: string
  /** State that outlives a reboot: receipts. */
  state: string
}

export interface SwitchPlan {
  /** The vhostkit-switch program. */
  program: string
  control: string
  stateFile: string
  log: string
  /** Cores for pinned workers; empty = not pinned to cores, one on each node that has guests. */
  cores: number[]
  /** Cores that get a worker only while guests are on their node and no other worker is. */
  spareCores: number[]
  idle: 'adaptive' | 'poll'
  /** Only where it is to be another user than the one who applies. */
  user?: string
}

export interface MachinePlan {
  name: string
  uuid: string
  /** Guest vCPUs in all. */
  cpus: number
  memory: MemoryPlan
  interfaces: InterfacePlan[]
  /** kernel is empty when it boots from its disks. */
  boot: BootPlan
  /** Left out: no disks, no seed, BIOS. */
  storage?: StoragePlan
  /** Host CPUs that the vCPU threads may use; empty = any. */
  hostCpus: number[]
  /** Only with the driver libvirt. */
  domain?: DomainPlan
  folder: string
  qmpSocket: string
  consoleSocket: string
  consoleLog: string
  /** Where a guest agent answers; with libvirt, which then has it, a socket of libvirt's. */
  agentSocket: string
  pidFile: string
  /** QEMU's own stdout and stderr. */
  log: string
}

export interface DomainPlan {
  name: string
  /** Host CPUs of each guest node, in order; an empty list = any. */
  cellCpus: number[][]
}

export interface MemoryPlan {
  bytes: number
  backing: 'hugepages' | 'memfd'
  /** Page size of the backing in bytes (4096 for plain memfd). */
  pageBytes: number
  /** One entry per guest NUMA node, in order; at least one. */
  cells: MemoryCell[]
}

export interface MemoryCell {
  guestNode: number
  /** Host node to bind to; null = not bound. */
  hostNode: number | null
  bytes: number
  /** Guest vCPUs of this cell, ascending. */
  cpus: number[]
}

export interface InterfacePlan {
  /** 0, 1, … within the machine. */
  index: number
  network: string
  /** Switch port name. */
  port: string
  mac: string
  /** vhost-user socket: QEMU is the server, the switch the client. */
  socket: string
  /** Queue pairs. */
  queues: number
  rxQueueSize: number
  txQueueSize: number
  mtu: number
  /** MSI-X vectors: 2 × queues + 2; 0 under TCG (QEMU 7.2 crashes otherwise). */
  vectors: number
  /** 'follow': the guest sees the link go down while the switch is away. */
  carrier: CarrierPolicy
  /** Left out: the guest may send from any address to every port of its network. */
  policy?: PortPolicy
}

/** What the switch lets a port do, in the words of its `port.add`; only what is set is there. */
export interface PortPolicy {
  isolated?: true
  link?: true
  storm?: number
  vlan?: VlanSpec
  rate?: { rx?: PortRate; tx?: PortRate }
  macs?: string[]
  ipv4?: string[]
  mirror?: PortMirror
}

/** rx is what comes from the port. */
export type PortMirror = { direction: 'rx' | 'tx' | 'both' } & (
  | { to: string }
  | { file: string; snaplen?: number; limit: number }
)

/** Bytes and frames a second; burst in bytes. */
export interface PortRate {
  bytes?: number
  burst?: number
  peak?: number
  frames?: number
}

export interface BootPlan {
  kernel: string
  initrd: string
  cmdline: string
}

export interface StoragePlan {
  /** The folder of the files that we make for it; they outlive a reboot. */
  folder: string
  disks: DiskPlan[]
  /** null: no seed. */
  cloudInit: CloudInitPlan | null
  /** null: BIOS. */
  firmware: FirmwarePlan | null
}

export interface DiskPlan {
  /** 0, 1, … within the machine. */
  index: number
  /** The file that QEMU opens. */
  path: string
  format: 'raw' | 'qcow2'
  /** What it lies over; null: nothing. */
  backing: { path: string; format: 'raw' | 'qcow2' } | null
  device: 'disk' | 'cdrom'
  bus: 'virtio' | 'sata' | 'scsi'
  /** As libvirt calls it, and Linux mostly too: vda, sda. */
  target: string
  readonly: boolean
  /** From 1; null: it is not booted from. */
  bootOrder: number | null
  /** We make it when it is not there, of so many bytes (null: as its backing); null: it is the user's own. */
  make: { bytes: number | null } | null
}

export interface CloudInitPlan {
  hostname: string
  user: string | null
  password: string | null
  sshKeys: string[]
  packages: string[]
  /** null: the guest's network is left to the guest. */
  network: GuestNetworkPlan[] | null
  dns: string[]
  userData: string | null
  /** Of the virtio disk that the seed is. */
  target: string
}

export interface GuestNetworkPlan {
  mac: string
  mtu: number
  /** Empty: DHCP. */
  addresses: string[]
  gateway: string | null
}

export interface FirmwarePlan {
  code: string
  /** What its variables are a copy of, and the copy. */
  template: string
  variables: string
}

export interface HugepageNeed {
  node: number
  pageBytes: number
  pages: number
}

/** Why something was decided: `subject` "machine vm1 memory", `choice` "memfd", `why` one sentence. */
export interface Reason {
  subject: string
  choice: string
  why: string
}
