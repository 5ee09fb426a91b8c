import { type Finding, fine, note, problem } from '../core/doctor/finding.js'
import type { Facts, NumaNode } from '../core/facts/facts.js'
import { showSize } from '../core/spec/size.js'

/** What the facts of a host mean for vhostkit. */
export function examineFacts(facts: Facts): Finding[] {
  return [
    examineUser(facts),
    examineKvm(facts),
    examineQemu(facts),
    examineLibvirt(facts),
    examineSwitchProgram(facts),
    examineTaps(facts),
    ...facts.nodes.map((node) => examineHugepages(node, facts)),
  ]
}

function examineUser({ uid }: Facts): Finding {
  if (uid === 0) return fine('user', 'root')
  return note(
    'user-not-root',
    'user',
    `uid ${uid}`,
    'Only root can make taps and reserve hugepages.',
    'Run as root for host: addresses and hugepages; machines alone work without.',
  )
}

function examineKvm({ kvm }: Facts): Finding {
  if (kvm.usable) return fine('kvm', kvm.why)
  return note(
    'kvm-unusable',
    'kvm',
    `not usable: ${kvm.why}`,
    'Machines run under TCG, many times slower.',
    'Enable virtualization in the firmware, or nested virtualization where this host is itself a machine.',
  )
}

function examineQemu({ qemu }: Facts): Finding {
  if (qemu !== null && isOlder(qemu.version, tested.qemu)) {
    return note(
      'old-qemu',
      'qemu',
      qemu.version,
      `vhostkit is tested with ${tested.qemu} and newer.`,
      'apt-get install qemu-system-x86',
    )
  }
  if (qemu !== null) return fine('qemu', `${qemu.version} (${qemu.path})`)
  return problem(
    'no-qemu',
    'qemu',
    'not installed',
    'No machine can start.',
    'Run bin/setup, or install qemu-system-x86.',
  )
}

/** The oldest that the tests have run with. */
const tested = { qemu: '7.2', libvirt: '9.0' }

function isOlder(found: string, oldest: string): boolean {
  const [[major = 0, minor = 0], [wanted = 0, least = 0]] = [found, oldest].map((text) =>
    text.split('.').map(Number),
  ) as [number[], number[]]
  return major < wanted || (major === wanted && minor < least)
}

function examineLibvirt({ libvirt }: Facts): Finding {
  if (libvirt === null) return fine('libvirt', 'not installed; needed only for driver: libvirt')
  if (!isOlder(libvirt.version, tested.libvirt)) return fine('libvirt', libvirt.version)
  return note(
    'old-libvirt',
    'libvirt',
    libvirt.version,
    `vhostkit is tested with ${tested.libvirt} and newer.`,
    'apt-get install libvirt-daemon-system libvirt-clients',
  )
}

function examineSwitchProgram({ switchPath }: Facts): Finding {
  if (switchPath !== null) return fine('switch program', switchPath)
  return problem(
    'no-switch-program',
    'switch program',
    'not built',
    'Machines have no network.',
    '`vhostkit switch start` builds that of a package; in a checkout run bin/setup.',
  )
}

function examineTaps({ canCreateTaps }: Facts): Finding {
  if (canCreateTaps) return fine('taps', '/dev/net/tun opens, and this user may make taps')
  return note(
    'no-taps',
    'taps',
    'this user cannot make taps',
    'The host cannot have an address on a network of machines.',
    'Run as root where /dev/net/tun exists (`modprobe tun`), or leave host: out of the spec.',
  )
}

function examineHugepages(node: NumaNode, { canReserveHugepages }: Facts): Finding {
  const subject = `hugepages of node ${node.id}`
  const pools = node.hugepages.map(
    ({ pageBytes, total, free }) => `${showSize(pageBytes)}: ${free} of ${total} free`,
  )
  const what = pools.length === 0 ? 'none of any size' : pools.join(', ')
  if (canReserveHugepages || node.hugepages.some(({ free }) => free > 0)) {
    return fine(subject, canReserveHugepages ? `${what}; more are reserved when a machine starts` : what)
  }
  return note(
    'hugepages-closed',
    subject,
    `${what}, and this user cannot reserve any`,
    'Machines use memfd memory of small pages: it works, a little slower.',
    'Run as root, or reserve pages in nr_hugepages of the node.',
  )
}
