import { domainFindings } from './domain-findings.js'
import { networkFindings } from './network-findings.js'

/** What a kind of finding means, for `vhostkit explain` and docs/troubleshooting.md. */
export interface FindingText {
  /** What brings it about. */
  cause: string
  /** Where to look. */
  look: string
  /** What to do. */
  mend: string
}

const row = (cause: string, look: string, mend: string): FindingText => ({ cause, look, mend })

/** Every finding that `doctor` can have. The codes are stable: programs may rely on them. */
export const findingTable = {
  // The host.
  'user-not-root': row(
    'doctor runs as an ordinary user.',
    '`id`.',
    'Run it as root for host addresses and hugepages.',
  ),
  'kvm-unusable': row(
    '/dev/kvm is missing, closed to this user, or there and unable to run a guest: a host that is itself a machine without nested virtualization.',
    '`grep -c -E "vmx|svm" /proc/cpuinfo`, `ls -l /dev/kvm`, `virt-host-validate qemu`.',
    'Turn virtualization on in the firmware or nested in the outer host; add the user to the group kvm.',
  ),
  'no-qemu': row(
    'No qemu-system-x86_64 in the path.',
    '`command -v qemu-system-x86_64`.',
    'Run bin/setup, or apt-get install qemu-system-x86.',
  ),
  'old-qemu': row(
    'QEMU is older than those that the tests run with.',
    '`qemu-system-x86_64 --version`.',
    'Install a newer one; older ones may work.',
  ),
  'old-libvirt': row(
    'libvirt is older than those that the tests run with.',
    '`virsh --version`.',
    'Install a newer one; older ones may work.',
  ),
  'no-switch-program': row(
    'The native switch was not built.',
    '`ls native/build/vhostkit-switch` in a checkout; a package builds it at first use.',
    'Run bin/setup in a checkout; `vhostkit switch start` builds that of a package.',
  ),
  'no-taps': row(
    '/dev/net/tun does not open, or the user lacks CAP_NET_ADMIN.',
    '`ls -l /dev/net/tun`, `capsh --print`.',
    '`modprobe tun`, and run as root; or leave host: out of the spec.',
  ),
  'hugepages-closed': row(
    'No free hugepages on the node, and this user cannot reserve any.',
    '`cat /sys/devices/system/node/node*/hugepages/*/free_hugepages`.',
    'Run as root, or have root write nr_hugepages of that node.',
  ),
  'iommu-off': row(
    'The firmware or the kernel command line leaves the IOMMU off.',
    '`ls /sys/class/iommu`, `dmesg | grep -i -e DMAR -e AMD-Vi`.',
    'Turn on VT-d or AMD-Vi; on Intel boot with intel_iommu=on.',
  ),
  'thp-never': row(
    'Transparent hugepages are turned off.',
    '`cat /sys/kernel/mm/transparent_hugepage/enabled`.',
    '`echo madvise > /sys/kernel/mm/transparent_hugepage/enabled`.',
  ),
  'isolated-unused': row(
    'isolcpus keeps CPUs free, but the switch has its workers elsewhere.',
    '`cat /sys/devices/system/cpu/isolated`, `vhostkit switch workers`.',
    'Name one of them in switch.cores of the spec, and apply it.',
  ),
  'governor-slow': row(
    'The frequency governor keeps cores slow until they have been busy for a while.',
    '`cat /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor`.',
    '`cpupower frequency-set -g performance` (package linux-cpupower).',
  ),
  'folder-closed': row(
    'The run or state folder belongs to another user.',
    '`ls -ld` of the folder.',
    'Run as its owner, or choose others with --run-dir and --state-dir.',
  ),
  'folder-open': row(
    'The run or state folder may be written by everybody.',
    '`ls -ld` of the folder.',
    '`chmod o-w` it; `vhostkit doctor --fix` does.',
  ),
  'folder-long': row(
    'A long run folder leaves no room for socket paths of 107 bytes.',
    'The value of --run-dir or VHOSTKIT_RUN_DIR.',
    'Use a shorter one.',
  ),
  'deployment-unfinished': row(
    'A command was killed in the middle, or a step of it failed.',
    '`vhostkit status`.',
    'Apply the spec again, or destroy the deployment.',
  ),
  'machine-off': row(
    'A machine of an applied deployment has no QEMU: it powered off, crashed, was killed or stopped.',
    '`vhostkit status`; the end of its console log in the run folder.',
    '`vhostkit start DEPLOYMENT`; `vhostkit stop DEPLOYMENT` when all of it shall be off.',
  ),
  'machine-silent': row(
    'The monitor of a machine does not answer within a second: its QEMU hangs or was stopped, or its libvirt is away.',
    '`ps -o stat= -p PID` with the pid of `vhostkit status`: T is stopped, D waits for a disk.',
    '`kill -CONT PID`, or stop and start the machine.',
  ),
  'machine-halted': row(
    'QEMU has stopped the vCPUs of a machine: paused, a disk that is full, or a guest that has panicked.',
    '`vhostkit status`, and the console of the machine.',
    'Make room and continue it by its monitor or libvirt, or stop and start it.',
  ),

  // The switch and its ports.
  'switch-silent': row(
    'The switch does not run, hangs, or its socket was removed or is in another run folder.',
    '`vhostkit switch status`.',
    '`vhostkit switch restart`: it starts one, and ends one that hangs or has lost its socket.',
  ),
  'switch-unsupervised': row(
    'The switch was started without --monitor.',
    '`vhostkit switch status`.',
    '`vhostkit switch restart`.',
  ),
  'switch-otherwise': row(
    'A spec was applied that gives the switch another user, other cores or another idle mode, while it ran.',
    '`vhostkit status` says what differs; specs on one run folder share the switch, so let what they say of it agree.',
    '`vhostkit switch restart`.',
  ),
  'switch-restarted': row(
    'The switch crashed or was killed, and came back.',
    'Its log, beside the control socket.',
    'Nothing, when somebody killed it; else report the end of the log.',
  ),
  'port-lost': row(
    'A port of the state file could not be added when the switch started.',
    'The log of the switch.',
    'Apply the spec again.',
  ),
  'port-orphan': row(
    'A deployment was destroyed while the switch was off.',
    '`vhostkit switch ports`.',
    '`vhostkit switch start` forgets it.',
  ),
  'queue-broken': row(
    'The guest wrote something into a ring that virtio forbids.',
    '`vhostkit switch ports`, and the log of the guest.',
    'Restart the card in the guest, or the machine.',
  ),
  'socket-refused': row(
    'The switch may not open the socket that QEMU made.',
    '`ls -l` of the socket, and who runs the switch.',
    'Run both as one user, or give the switch the group of the socket.',
  ),
  'features-refused': row(
    'The machine agreed on features with another switch, and this one lacks some.',
    '`vhostkit switch ports --json`: offered and negotiated.',
    'Restart the machine.',
  ),
  'port-failed': row(
    'The last try to serve the port failed.',
    'The error shown, and the log of the switch.',
    'Mend what it names; the switch tries again by itself.',
  ),
  'never-connected': row(
    'No QEMU listens on the socket of the port.',
    '`vhostkit status`, and whether the socket is there.',
    'Start the machine.',
  ),
  'guest-not-ready': row(
    'QEMU is connected, but no driver has set the card up.',
    'The console of the machine.',
    'Wait for the guest to boot, or load virtio_net in it.',
  ),
  'mirror-full': row(
    'A mirror file has reached its limit.',
    'The file named.',
    'Move it away, or give the mirror a higher limit.',
  ),
  'mirror-ended': row(
    'A mirror file could not be written any more.',
    '`df` of the folder of captures.',
    'Make room, take the mirror out of the spec and put it in again.',
  ),
  'node-mismatch': row(
    'The memory of the guest and the worker that serves it are on two NUMA nodes.',
    '`vhostkit switch ports`, `vhostkit switch workers`.',
    'Give the switch a core of that node: switch.cores or switch.spare-cores.',
  ),
  'uplink-far': row(
    'The memory of a guest is on another node than the card by which its frames leave the host.',
    '`vhostkit status`; `cat /sys/class/net/*/device/numa_node`.',
    'node of the machine in the spec, when most of its traffic leaves the host.',
  ),
  'ring-state-far': row(
    'The node of the guest had no room for the state of its port.',
    '`grep MemFree /sys/devices/system/node/node*/meminfo`.',
    'Free memory there, then restart the machine.',
  ),
  'mtu-mixed': row(
    'Ports of one network have different MTUs.',
    '`vhostkit switch ports`.',
    'Give the network one mtu, or the cards of domains one <mtu size=…/>.',
  ),

  ...networkFindings,

  ...domainFindings,
} satisfies Record<string, FindingText>

export type FindingCode = keyof typeof findingTable
