/**
 * Steps: the ordered difference between Artifacts and Live, as data. `apply`
 * carries them out, undoes them in reverse when one fails, and checks each by
 * reading the host back; the dry run is just printing them.
 */
import type { PortPolicy } from '../plan/plan.js'
import type {
  DhcpArtifact,
  FileArtifact,
  MachineArtifact,
  NatArtifact,
  PortRequest,
  TapArtifact,
} from '../render/artifacts.js'

/** A domain of libvirt, and which of its two definitions: that of the machine that runs, and that it starts from next. */
export interface DomainTarget {
  connect: string
  uuid: string
  live: boolean
  config: boolean
}

/** What a step does. Each action is carried out by exactly one driver. */
export type Action =
  /** `uid`: who runs QEMU, when that is another user: the folder is his, and he may pass those above it. */
  | { do: 'make-folder'; path: string; uid?: number }
  | { do: 'remove-folder'; path: string }
  /** `uid` as above: the file is his too. */
  | { do: 'make-file'; file: FileArtifact; uid?: number }
  | { do: 'remove-file'; path: string }
  | { do: 'reserve-hugepages'; node: number; pageBytes: number; pages: number }
  | { do: 'release-hugepages'; node: number; pageBytes: number; pages: number }
  | { do: 'start-switch'; argv: string[]; control: string }
  | { do: 'stop-switch'; control: string }
  | { do: 'create-tap'; tap: TapArtifact }
  | { do: 'delete-tap'; ifname: string }
  | { do: 'start-dhcp'; dhcp: DhcpArtifact }
  /** `remove`: with its files. */
  | { do: 'stop-dhcp'; dhcp: DhcpArtifact; remove: boolean }
  /** Also has the host forward, and remembers who asked for that. */
  | { do: 'set-nat'; nat: NatArtifact }
  | { do: 'delete-nat'; nat: NatArtifact }
  | { do: 'add-port'; control: string; port: PortRequest }
  | { do: 'delete-port'; control: string; name: string }
  /** What a port that stays may do: its guest keeps its session. Empty: everything. */
  | { do: 'set-policy'; control: string; name: string; policy: PortPolicy }
  /** `before`: the definition that libvirt had, for an undo; null = none. */
  | { do: 'define-domain'; machine: MachineArtifact; before: string | null }
  | { do: 'undefine-domain'; machine: MachineArtifact }
  | { do: 'start-machine'; machine: MachineArtifact }
  | { do: 'stop-machine'; machine: MachineArtifact }
  /** Into the machine that runs, the definition, or both. */
  | { do: 'attach-interface'; domain: DomainTarget; mac: string; xml: string }
  | { do: 'detach-interface'; domain: DomainTarget; mac: string; xml: string }
  /** Our words in the metadata; null = none. */
  | { do: 'set-metadata'; domain: DomainTarget; xml: string | null }
  /** What QEMU left of a card that is gone. */
  | { do: 'remove-socket'; path: string }

/** What must be true afterwards; read back from the host by the same driver. */
export type Check =
  | { expect: 'folder'; path: string; present: boolean }
  | { expect: 'file'; path: string; present: boolean }
  | { expect: 'hugepages-free'; node: number; pageBytes: number; atLeast: number }
  | { expect: 'switch'; control: string; running: boolean }
  | { expect: 'tap'; ifname: string; present: boolean }
  | { expect: 'dhcp'; dhcp: DhcpArtifact; running: boolean }
  | { expect: 'nat'; nat: NatArtifact; present: boolean }
  | { expect: 'port'; control: string; name: string; present: boolean }
  | { expect: 'policy'; control: string; port: PortRequest }
  | { expect: 'domain'; machine: MachineArtifact; xml: string | null }
  | { expect: 'machine'; name: string; running: boolean }
  | { expect: 'interface'; domain: DomainTarget; mac: string; present: boolean }
  | { expect: 'metadata'; domain: DomainTarget; xml: string | null }
  | { expect: 'nothing' }

export interface Step {
  /** Unique within the list: "start-machine vm1". */
  id: string
  /** One line for people. */
  label: string
  action: Action
  /** null: nothing to undo. */
  undo: Action | null
  verify: Check
}

export interface LiveMachine {
  name: string
  running: boolean
  pid: number
  argv: string[] | null
  /** Only with the driver libvirt: the definition that it will start from next; null = none. */
  domain?: { xml: string | null }
}

/** What is there of a dnsmasq; its `config` is what it was started with. */
export interface LiveDhcp {
  dhcp: DhcpArtifact
  /** 0: it does not run, but its files are there. */
  pid: number
}

/** What is there of a network's NAT. */
export interface LiveNat {
  nat: NatArtifact
  /** As in the artifact; null: there is no such table. */
  marks: string[] | null
  /** It is written down that this network uses forwarding. */
  held: boolean
  /** The host forwards IPv4. */
  forwarding: boolean
}

/** Live: what exists now, in the shape of Artifacts; read by the drivers. */
export interface Live {
  /** null: nobody listens on the control socket. `service`: a service manager runs it, and its life is that one's. */
  switch: { pid: number; supervisorPid: number; service: boolean; argv: string[] | null } | null
  hugepages: { node: number; pageBytes: number; free: number; total: number }[]
  taps: TapArtifact[]
  dhcp: LiveDhcp[]
  nat: LiveNat[]
  /** From `port.list`, reduced to the request's fields. */
  ports: PortRequest[]
  machines: LiveMachine[]
  /** Paths of the files that were made for its machines and are there. */
  files: string[]
  /** Hugepages that this deployment reserved earlier (from its receipt). */
  reserved: { node: number; pageBytes: number; pages: number }[]
}
