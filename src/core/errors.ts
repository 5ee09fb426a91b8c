import { type ErrorRow, type ExitCode, row } from './error-row.js'
import { networkErrors } from './network-errors.js'
import { storageErrors } from './storage-errors.js'
import { switchErrors } from './switch-errors.js'

export type { ErrorRow, ExitCode } from './error-row.js'

/**
 * Every error vhostkit can report, in one table. docs/errors.md is this table
 * as a page (`npm run golden` rewrites it, a test compares them).
 */
export const errorTable = {
  // The spec and what is in it.
  'spec-refused': row(3, 'The spec has problems.', 'Correct the lines shown and run the command again.'),
  'spec-unreadable': row(3, 'The spec file cannot be read.', 'Check the path and its permissions.'),
  'answers-refused': row(
    3,
    'The answers for the wizard are not usable.',
    'Correct the answers named; `vhostkit init --help` shows how they are given.',
  ),
  'spec-syntax': row(3, 'The text is not YAML or JSON.', 'Correct the syntax at the place shown.'),
  'spec-too-large': row(
    3,
    'The spec is larger than vhostkit reads.',
    'Keep it small and flat; split a large one into several deployments.',
  ),
  'spec-value': row(3, 'A value is not what the key takes.', 'Write a value as expected.'),
  'key-missing': row(3, 'A required key is missing.', 'Add the key.'),
  'key-unknown': row(3, 'A key is not known.', 'Correct its spelling or remove it.'),
  'key-duplicate': row(3, 'A key stands twice in one mapping.', 'Keep one of them.'),
  'name-invalid': row(
    3,
    'A name is not allowed.',
    'Use letters, digits, "_", "." and "-"; begin with a letter or digit; at most 63 characters.',
  ),
  'name-duplicate': row(3, 'A name is used twice.', 'Give each its own name.'),
  'network-unknown': row(3, 'An interface names a network that does not exist.', 'Add it under networks.'),
  'link-shape': row(
    3,
    'A network with link: true is no link of two interfaces.',
    'Make it two interfaces, or leave link out.',
  ),
  'mirror-shape': row(
    3,
    'A mirror has no interface that could be there for it.',
    'Name an interface that has no other use; it gets nothing but the copies.',
  ),
  'address-invalid': row(3, 'A host address is not usable.', 'Write it as in 192.168.77.1/24.'),
  'address-overlap': row(3, 'Two host subnets overlap.', 'Give each network its own subnet.'),
  'mac-invalid': row(3, 'A MAC address is not usable.', 'Leave mac out and one is derived from the names.'),
  'mac-duplicate': row(3, 'A MAC address is used twice.', 'Leave mac out and one is derived from the names.'),
  'memory-uneven': row(3, 'The memory is not a whole number of pages.', 'Use a multiple of the page size.'),
  'cpus-short': row(3, 'A guest node would have no vCPU.', 'Give the machine at least one vCPU per node.'),
  'boot-missing': row(
    3,
    'Nothing says what the machine boots.',
    'Add a disk with an image, or boot: { kernel, initrd, cmdline }, or run the demo once: then its guest is booted.',
  ),
  'socket-path-too-long': row(
    3,
    'A socket path would not fit into 107 bytes.',
    'Use a shorter run folder, deployment name or machine name.',
  ),

  ...storageErrors,
  ...networkErrors,

  // The host.
  'not-permitted': row(
    4,
    'This user may not do that.',
    'Run as the owner of the path shown, or choose other folders with --run-dir and --state-dir. Without those an ordinary user has them below HOME, which must be his.',
  ),
  'file-failed': row(
    4,
    'A file or folder could not be made or written.',
    'Make room, or mend the path shown. An ordinary user has his folders below HOME, unless --run-dir and --state-dir name others.',
  ),
  'hugepages-short': row(
    4,
    'There are not enough hugepages.',
    'Free or reserve hugepages on the node shown, or use hugepages: preferred.',
  ),
  'memory-short': row(4, 'The host has not enough memory.', 'Give the machines less memory.'),
  'node-unknown': row(4, 'The host has no such NUMA node.', 'Use node: auto, or a node of this host.'),
  'core-unknown': row(4, 'The host has no such CPU.', 'Use cores: auto, or CPUs of this host.'),
  'qemu-missing': row(4, 'QEMU is not installed.', 'Run bin/setup, or install qemu-system-x86.'),
  'libvirt-missing': row(
    4,
    'libvirt is not installed.',
    'Run bin/setup, install libvirt-daemon-system and libvirt-clients, or use driver: qemu.',
  ),
  'switch-not-buildable': row(
    4,
    'The switch cannot be built on this host.',
    'Install what is missing, then run the command again.',
  ),
  'switch-missing': row(4, 'The switch is not built.', 'Run bin/setup.'),
  'tcpdump-missing': row(
    4,
    'tcpdump is not installed; it compiles the filter.',
    'Run bin/setup, install tcpdump, or capture without --filter.',
  ),
  'taps-not-allowed': row(
    4,
    'This user cannot create taps.',
    'Run as root, or remove host: from the networks.',
  ),

  'xml-refused': row(
    3,
    'The XML is not what a definition of a machine may be.',
    'Look at the place named; `virsh dumpxml` prints what libvirt has.',
  ),

  // Carrying it out.
  ...switchErrors,
  'qemu-start-failed': row(
    1,
    'QEMU did not start.',
    'Mend what QEMU said; `vhostkit render` has its command, to see more by hand.',
  ),
  'libvirt-unreachable': row(
    1,
    'libvirt does not answer.',
    'Start libvirtd (or virtqemud), or name another one with --connect.',
  ),
  'domain-failed': row(1, 'libvirt refused a request about a domain.', 'Mend what libvirt said.'),
  'domain-refused': row(4, 'The domain cannot be converted.', 'Mend each reason shown; nothing was changed.'),
  'hooks-failed': row(
    1,
    'The hook could not be installed.',
    'Mend what the sentence says; nothing of others was touched.',
  ),
  'machine-changed': row(
    1,
    'A running machine was started differently.',
    'Apply with --restart: the machine is stopped and started.',
  ),
  'file-exists': row(1, 'A file is there already.', 'Choose another name, or say --force.'),
  'lock-held': row(
    1,
    'Another vhostkit is at work.',
    'Wait until it has finished; --wait SECONDS waits longer.',
  ),
  'not-found': row(
    1,
    'There is nothing of that name.',
    'See `vhostkit status` for the names that there are.',
  ),
  'deployment-elsewhere': row(
    1,
    'The deployment was applied with another driver or another libvirt.',
    'Use the same as before, or destroy it first.',
  ),
  'step-failed': row(1, 'A step failed; the steps before it were undone.', 'See the cause.'),
  timeout: row(
    1,
    'A wait took too long.',
    'Look at what was waited for; on a busy host run the command again.',
  ),

  // The hands: programs, monitors, receipts, the demo.
  'listen-failed': row(
    1,
    'An address cannot be listened on.',
    'Choose another port, or end the program that has it.',
  ),
  'program-failed': row(
    1,
    'A program could not be run.',
    'See that the program shown is installed, and what it said.',
  ),
  'tap-failed': row(1, 'The tap could not be made.', 'See the cause; `ip link` shows what is there.'),
  'monitor-failed': row(
    1,
    'The monitor of QEMU did not answer as it should.',
    'Look at qemu.log in the folder of the machine; `vhostkit stop` and `vhostkit start` make a new one.',
  ),
  'console-failed': row(
    1,
    'The console of the machine did not answer.',
    'Look at console.log in the folder of the machine: the guest may not have booted.',
  ),
  'state-damaged': row(
    1,
    'A receipt in the state folder is damaged.',
    'Look at the file named; it is never guessed or overwritten.',
  ),
  'subnet-in-use': row(
    4,
    'The host already uses a subnet of the spec.',
    'Choose another subnet for the network.',
  ),
  'guest-unavailable': row(
    4,
    'The test guest cannot be made.',
    'Run bin/setup, and let the host reach a Debian mirror once; the guest is cached afterwards.',
  ),
  'demo-failed': row(
    1,
    'The demo did not do what it must.',
    'See what failed above; --json shows every figure.',
  ),
  interrupted: row(1, 'Interrupted; everything that was started is gone again.', 'Run the command again.'),

  usage: row(
    2,
    'The command line is not understood.',
    'See `vhostkit --help` for the commands, `vhostkit COMMAND --help` for examples.',
  ),
  internal: row(1, 'vhostkit has a fault.', 'Report it with the text shown.'),
} satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof errorTable

/** What an error says beyond its row: the exact sentence and hint, and the error below it. */
export interface ErrorDetails {
  sentence?: string
  hint?: string | undefined
  cause?: unknown
}

/** An error with four parts: code, sentence (`message`), hint, cause. */
export class VhostkitError extends Error {
  override readonly name = 'VhostkitError'
  readonly code: ErrorCode
  readonly hint: string

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    const { sentence, hint } = errorTable[code]
    super(details.sentence ?? sentence, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.hint = details.hint ?? hint
  }

  get sentence(): string {
    return this.message
  }

  get exitCode(): ExitCode {
    return errorTable[this.code].exitCode
  }
}
