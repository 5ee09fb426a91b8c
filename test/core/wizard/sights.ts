import type { ImageFact } from '../../../src/core/facts/facts.js'
import { gib } from '../../../src/core/spec/size.js'
import { imageChoice } from '../../../src/core/wizard/guest-choice.js'
import type { FileSights, Sights } from '../../../src/core/wizard/sights.js'
import { readHost } from '../../golden/read-cases.js'
import { folders } from '../../plan-of.js'

const image = { backing: null, fault: null }
/** An image that is larger than what is usual for a disk, and a CD. */
export const cloud: ImageFact = {
  ...image,
  path: '/srv/images/debian-12.qcow2',
  format: 'qcow2',
  bytes: 3 * gib,
  identity: '8:1:20',
}
export const cd: ImageFact = {
  ...image,
  path: '/srv/iso/tools.iso',
  format: 'raw',
  bytes: 700_000_256,
  identity: '8:1:21',
}

const readable = ['/srv/k', '/a b/"c"', '/srv/vmlinuz', cloud.path, cd.path]
const fileSights: FileSights = {
  whyUnreadable: (path) =>
    readable.includes(path) ? null : 'a file that is there; in /srv there is vmlinuz',
  whyUnwritable: (path) =>
    /^(\.\/)?lab\.yaml$/.test(path) ? `a file that is not there yet; ${path} is` : null,
  readImage: (path) => [cloud, cd].find((image) => image.path === path) ?? null,
}

/** What the wizard would see on a captured host. */
export function sightsOf(host: string, changes: Partial<Sights> = {}): Sights {
  const facts = { ...readHost(host), images: [cloud, cd] }
  return {
    facts,
    folders,
    suggestedName: 'lab',
    width: null,
    subnets: ['192.168.77.0/24', '172.17.0.0/16'],
    libvirtNetworks: facts.libvirt === null ? null : ['default'],
    guests: [
      {
        id: 'demo',
        label: "the demo's guest, which answers pings",
        boot: { kernel: '/srv/guest/vmlinuz', initrd: '/srv/guest/initrd', cmdline: 'console=ttyS0 quiet' },
        about: '/srv/guest/vmlinuz',
        disk: null,
        addressed: true,
      },
      imageChoice(cloud),
      imageChoice(cd),
    ],
    keys: [
      { file: 'id_ed25519.pub', line: `ssh-ed25519 ${'A'.repeat(60)} me@here` },
      { file: 'work.pub', line: `ssh-rsa ${'B'.repeat(60)}` },
    ],
    files: fileSights,
    ...changes,
  }
}
