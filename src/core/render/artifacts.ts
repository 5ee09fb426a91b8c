/**
 * Artifacts: the exact texts and requests that carry a Plan out. They can be
 * rendered into any folder (`vhostkit render --to DIR`) and compared with Live.
 */

export interface Artifacts {
  version: 1
  deployment: string
  switch: { argv: string[]; control: string }
  /** Hugepages to reserve before the machines start. */
  hugepages: { node: number; pageBytes: number; pages: number }[]
  taps: TapArtifact[]
  ports: PortRequest[]
  machines: MachineArtifact[]
}

export interface TapArtifact {
  ifname: string
  mtu: number
  addresses: string[]
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
}
