import { type Finding, fine, note } from './finding.js'

/** What a host's settings are that cost speed; empty or null where the kernel does not tell. */
export interface Tuning {
  /** IOMMUs that the kernel drives. */
  iommus: string[]
  /** Of transparent hugepages: always, madvise, never. */
  thp: string | null
  /** CPUs kept from everybody else (isolcpus). */
  isolated: number[]
  /** Each governor that some CPU has. */
  governors: string[]
  /** Cores of the workers of a switch that runs; -1: not bound. */
  workerCores: number[]
}

export function examineTuning(tuning: Tuning): Finding[] {
  return [examineIommu(tuning), examineThp(tuning), examineIsolated(tuning), examineGovernor(tuning)]
}

function examineIommu({ iommus }: Tuning): Finding {
  if (iommus.length > 0) return fine('IOMMU', iommus.join(', '))
  return note(
    'iommu-off',
    'IOMMU',
    'none is on',
    'Needed only to give a guest a physical card; vhost-user cards work without.',
    'Turn on VT-d or AMD-Vi in the firmware; on Intel add intel_iommu=on to the kernel command line.',
  )
}

function examineThp({ thp }: Tuning): Finding {
  if (thp !== 'never') return fine('transparent hugepages', thp ?? 'not told by the kernel')
  return note(
    'thp-never',
    'transparent hugepages',
    'never',
    'Guests without hugepages get small pages only, and miss the TLB more often.',
    'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled',
  )
}

function examineIsolated({ isolated, workerCores }: Tuning): Finding {
  const idle = isolated.filter((cpu) => !workerCores.includes(cpu))
  if (isolated.length === 0) return fine('isolated CPUs', 'none')
  if (workerCores.length === 0 || idle.length < isolated.length) {
    return fine('isolated CPUs', isolated.join(', '))
  }
  return note(
    'isolated-unused',
    'isolated CPUs',
    `${isolated.join(', ')}: no worker of the switch is on them`,
    'They were kept free for work like this, while the switch shares its cores with others.',
    `switch: { cores: [${isolated[0]}] } in the spec, then \`vhostkit apply\``,
  )
}

function examineGovernor({ governors }: Tuning): Finding {
  const slow = governors.filter((name) => ['powersave', 'conservative', 'ondemand'].includes(name))
  if (slow.length === 0) return fine('CPU governor', governors.join(', ') || 'not told by the kernel')
  return note(
    'governor-slow',
    'CPU governor',
    slow.join(', '),
    'A worker that sleeps between frames wakes on a slow core, which costs latency.',
    '`cpupower frequency-set -g performance` (package linux-cpupower)',
  )
}
