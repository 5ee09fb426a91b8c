import type { Sights } from '../../../src/core/wizard/sights.js'
import { readHost } from '../../golden/read-cases.js'
import { folders } from '../../plan-of.js'

/** What the wizard would see on a captured host. */
export function sightsOf(host: string, changes: Partial<Sights> = {}): Sights {
  const facts = readHost(host)
  return {
    facts,
    folders,
    suggestedName: 'lab',
    subnets: ['192.168.77.0/24', '172.17.0.0/16'],
    libvirtNetworks: facts.libvirt === null ? null : ['default'],
    guests: [
      {
        id: 'demo',
        label: "the demo's guest, which answers pings",
        boot: { kernel: '/srv/guest/vmlinuz', initrd: '/srv/guest/initrd', cmdline: 'console=ttyS0 quiet' },
        addressed: true,
      },
    ],
    takenFiles: ['lab.yaml'],
    ...changes,
  }
}
