/**
 * What each key of a spec means, by its path; "[]" stands for the items of a list. The JSON Schema, and so
 * every editor, and docs/spec.md show these; a test fails when a key has none.
 */
export const keyTexts: Record<string, string> = {
  version: 'Version of this format; always 1.',
  name: 'Name of the deployment; status, start, stop and destroy take it.',
  driver: 'Who runs the machines: qemu (vhostkit itself) or libvirt (they become its domains).',
  connect: "URI of this host's libvirt; without it, as root qemu:///system, else qemu:///session.",
  hugepages:
    'preferred: hugepages when there are enough, else ordinary shared memory; required: refused without; off: never.',
  boot: "What machines boot that do not say themselves; without it, their disks, or the demo's guest.",
  'boot.kernel': 'Absolute path of a Linux kernel.',
  'boot.initrd': 'Absolute path of its initial RAM disk.',
  'boot.cmdline': "The kernel's command line.",
  'boot.from': 'disk or cdrom; the word alone says the same.',
  firmware: 'bios or uefi, of machines that do not say themselves.',
  ...cloudInitTexts('cloud-init', ', for machines without their own'),
  networks: 'Networks of the switch; each is one broadcast domain.',
  'networks[].name': 'Name that interfaces use.',
  'networks[].mtu': 'Largest packet, told to the guests.',
  'networks[].link': 'Wires its two interfaces straight to each other, without lookup or learning.',
  'networks[].host':
    "The host's own addresses on it, through a tap: one address with prefix length, or a mapping.",
  'networks[].dhcp':
    'true: the host hands out IPv4 addresses and names on it, by a dnsmasq of its own; or a mapping.',
  'networks[].dhcp.range': "First and last address handed out; without it, planned from the host's subnet.",
  'networks[].dhcp.leases': 'How long an address is lent.',
  'networks[].dhcp.dns':
    "true: names of machines, all others by the host's name servers; a list: by these; false: no names.",
  'networks[].dhcp.domain': 'Domain of the names of machines.',
  'networks[].nat': 'true: guests reach beyond the host, under its address, by nftables.',
  'networks[].host.addresses': 'Addresses with their prefix lengths, IPv4 or IPv6.',
  machines: 'The virtual machines.',
  'machines[].name': 'Name of the machine, once in the deployment.',
  'machines[].cpus': 'Virtual CPUs.',
  'machines[].memory': 'Memory, such as 512M or 2G; a whole number of pages.',
  'machines[].hugepages': 'As at the top, for this machine.',
  'machines[].hugepage-size': 'Size of its hugepages; without it, whichever the host has.',
  'machines[].node': 'auto, or host NUMA nodes, one for each node of the guest.',
  'machines[].boot': 'What this machine boots.',
  'machines[].boot.kernel': 'Absolute path of a Linux kernel.',
  'machines[].boot.initrd': 'Absolute path of its initial RAM disk.',
  'machines[].boot.cmdline': "The kernel's command line.",
  'machines[].boot.from': 'disk or cdrom; the word alone says the same.',
  'machines[].firmware': 'bios or uefi; the variables of UEFI are kept with its disks.',
  'machines[].disks': 'Its disks: paths of images, or mappings.',
  'machines[].disks[].image': 'What is on it; the guest writes an overlay of its own.',
  'machines[].disks[].cdrom': 'ISO image of a CD drive.',
  'machines[].disks[].format': 'raw or qcow2; without it, what its header says.',
  'machines[].disks[].size': 'Its size: at least that of the image, or of an empty disk.',
  'machines[].disks[].overlay': 'false: the guest writes the image itself; format must be said then.',
  'machines[].disks[].readonly': 'The guest only reads the image.',
  'machines[].disks[].bus': 'virtio (usual), sata or scsi.',
  ...cloudInitTexts('machines[].cloud-init', ''),
  'machines[].interfaces': 'Its network cards: names of networks, or mappings.',
  'machines[].interfaces[].network': 'Network it is on.',
  'machines[].interfaces[].mac': 'Its MAC address; without it, derived from the names.',
  'machines[].interfaces[].queues': 'Queue pairs; without it, planned from the vCPUs.',
  'machines[].interfaces[].carrier':
    'steady: the guest does not see the switch restart; follow: its link goes down meanwhile.',
  'machines[].interfaces[].isolated': 'Reaches only those of its network that are not isolated.',
  'machines[].interfaces[].storm': 'Frames a second that may be flooded from it.',
  'machines[].interfaces[].vlan': 'A VLAN id makes an access port; a mapping makes a trunk.',
  'machines[].interfaces[].vlan.trunk': 'VLANs that it carries tagged.',
  'machines[].interfaces[].vlan.native': 'VLAN that it carries untagged.',
  'machines[].interfaces[].bandwidth': 'Limits; what is beyond is dropped.',
  'machines[].interfaces[].mirror': 'Who gets a copy of its frames: another interface or a file.',
  'machines[].interfaces[].mirror.to':
    'Interface that gets the copies, such as vm3 or vm3/1, and nothing else.',
  'machines[].interfaces[].mirror.file':
    "Name of a pcap-ng file in the captures folder beside the switch's state.",
  'machines[].interfaces[].mirror.direction': 'Frames to the guest (inbound), from it (outbound), or both.',
  'machines[].interfaces[].mirror.snaplen': 'Bytes kept of each frame.',
  'machines[].interfaces[].mirror.limit': 'Size at which the file ends.',
  'machines[].interfaces[].antispoof':
    'true: the guest sends from its own MAC only; a list: also from these IPv4 addresses only.',
  'machines[].interfaces[].address':
    'Addresses of the guest with prefix length, told to it by cloud-init; without them it asks by DHCP.',
  'machines[].interfaces[].gateway': 'IP address of its router.',
  ...bandwidthTexts('inbound', 'to the guest'),
  ...bandwidthTexts('outbound', 'from the guest'),
  switch: 'Where and how the switch works.',
  'switch.cores': 'CPUs with a worker each; auto plans them.',
  'switch.spare-cores': "CPUs for a worker only while a guest's memory is on a NUMA node without one.",
  'switch.idle': 'adaptive: sleeps when nothing comes; poll: never sleeps.',
  'switch.user':
    'User of this host that the switch runs as; root applies the spec. A switch that runs keeps its user until `vhostkit switch restart`.',
}

function cloudInitTexts(path: string, whose: string): Record<string, string> {
  return {
    [path]: `What cloud-init is told at the first boot${whose}, through a seed (NoCloud).`,
    [`${path}.user`]: "Who may log in, with sudo; without it, the image's own user.",
    [`${path}.password`]: 'Hash of the password, as `openssl passwd -6` prints it.',
    [`${path}.ssh-keys`]: 'Public keys of that user.',
    [`${path}.hostname`]: 'Host name; without it, the name of the machine.',
    [`${path}.packages`]: 'Packages to install.',
    [`${path}.dns`]: 'Addresses of name servers.',
    [`${path}.network`]: "Sets the guest's network up: addresses of its interfaces, or DHCP.",
    [`${path}.user-data`]: 'User data of your own, in place of all but network and host name.',
  }
}

function bandwidthTexts(direction: string, words: string): Record<string, string> {
  const path = `machines[].interfaces[].bandwidth.${direction}`
  return {
    [path]: `Limits of what goes ${words}.`,
    [`${path}.average`]: 'Kilobytes (1000 bytes) a second in the long run.',
    [`${path}.peak`]: 'Kilobytes a second within a burst.',
    [`${path}.burst`]: 'KiB that may come at peak speed.',
    [`${path}.packets`]: 'Packets a second.',
  }
}
