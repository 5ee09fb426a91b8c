import type { FindingText } from './finding-table.js'

const row = (cause: string, look: string, mend: string): FindingText => ({ cause, look, mend })

/** Rows of the finding table about a domain of libvirt and its cards. */
export const domainFindings = {
  'no-vhost-user': row(
    'The domain has only cards of the kernel.',
    '`virsh dumpxml DOMAIN`.',
    '`vhostkit accelerate DOMAIN`.',
  ),
  'memory-private': row(
    "The definition lacks <access mode='shared'/>.",
    '`virsh dumpxml DOMAIN | grep -A5 memoryBacking`.',
    '`vhostkit doctor DOMAIN --fix`, then start it anew.',
  ),
  'cell-private': row(
    "A cell has no memAccess='shared', and private is what it then gets, whatever <memoryBacking> says.",
    '`virsh dumpxml DOMAIN | grep cell`.',
    '`vhostkit doctor DOMAIN --fix`, then start it anew.',
  ),
  'hook-unseen': row(
    'No hook is installed, or libvirtd runs since before the first one was.',
    '`vhostkit hooks status`.',
    '`vhostkit hooks install`, then restart libvirtd; machines go on running.',
  ),
  'model-not-virtio': row(
    'A vhost-user card has a model other than virtio.',
    '`virsh dumpxml DOMAIN`.',
    '`virsh edit DOMAIN`: the model is virtio.',
  ),
  'mac-duplicate-card': row(
    'Two cards have one MAC: a definition was copied.',
    '`vhostkit switch macs`, `virsh domiflist DOMAIN`.',
    '`vhostkit doctor DOMAIN --fix` gives the later one another; the guest sees a new card.',
  ),
  'socket-unreachable': row(
    'The user that runs QEMU has no rights in the folder of its socket, or on the way to it.',
    '`namei -l` of the socket.',
    'The command shown; for folders of vhostkit `vhostkit doctor DOMAIN --fix`.',
  ),
  'socket-closed-to-switch': row(
    'The user that runs the switch may not pass to the socket of a card, or not write to it.',
    '`namei -l` of the socket; who owns the control socket of the switch.',
    'The command shown; for folders of vhostkit `vhostkit doctor DOMAIN --fix`.',
  ),
  'mtu-differs': row(
    'The card has another MTU than all others of its network.',
    '`vhostkit switch ports`, `virsh dumpxml DOMAIN | grep mtu`.',
    '`vhostkit doctor DOMAIN --fix`, then start it anew.',
  ),
  'port-missing': row(
    'The domain was started without the hook, or its port was removed.',
    '`vhostkit switch ports`, `vhostkit hooks status`.',
    'Start it anew with the hook installed.',
  ),
  'backend-never-connected': row(
    'The switch has the port, but never got through to the socket.',
    'The last error shown; `ls -l` of the socket.',
    'Let the switch open it: its user or group.',
  ),
} satisfies Record<string, FindingText>
