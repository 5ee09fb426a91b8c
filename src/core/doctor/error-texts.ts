import type { ErrorCode } from '../errors.js'
import { networkTexts } from './network-texts.js'
import { specTexts } from './spec-texts.js'

/** What brings an error about, and where to look; its sentence and what to do are in its row. */
export interface ErrorText {
  cause: string
  look: string
}

export const errorTexts: Record<ErrorCode, ErrorText> = {
  ...specTexts,
  'not-permitted': {
    cause: 'The kernel answered EACCES, EPERM or EROFS.',
    look: '`id`, and `ls -ld` of the path shown.',
  },
  'file-failed': {
    cause: 'The disk is full or its quota is used up, or a part of the path is no folder.',
    look: '`df -h`, and `ls -ld` of the path shown; `echo $HOME`.',
  },
  'hugepages-short': {
    cause: 'Others hold them, or memory is too scattered to make more.',
    look: '`vhostkit doctor`; free_hugepages of each node.',
  },
  'memory-short': {
    cause: 'Free memory of the nodes does not reach.',
    look: '`free -h`, `grep MemFree /sys/devices/system/node/node*/meminfo`.',
  },
  'node-unknown': { cause: 'The spec was written for another host.', look: '`lscpu`, its NUMA lines.' },
  'core-unknown': { cause: 'The spec was written for another host.', look: '`lscpu`.' },
  'qemu-missing': { cause: 'No qemu-system-x86_64 in the path.', look: '`command -v qemu-system-x86_64`.' },
  'libvirt-missing': { cause: 'No virsh in the path.', look: '`command -v virsh`.' },
  'image-missing': {
    cause: 'The path is another one, or nothing was downloaded yet.',
    look: '`ls -l` of the path.',
  },
  'image-unusable': {
    cause: 'It is of another format, encrypted, or names files of this host.',
    look: '`qemu-img info` of the image.',
  },
  'disk-differs': {
    cause: 'The disks of the machine changed in the spec after it was made; it holds what the guest wrote.',
    look: '`qemu-img info` of the file, and the disks of the spec.',
  },
  'maker-missing': { cause: 'No qemu-img or xorriso in the path.', look: '`command -v qemu-img xorriso`.' },
  'firmware-missing': {
    cause: 'No description of a UEFI firmware without Secure Boot for q35.',
    look: '`ls /usr/share/qemu/firmware`.',
  },
  'switch-missing': {
    cause: 'The native program is neither built nor in the path.',
    look: '`ls native/build` in a checkout.',
  },
  'taps-not-allowed': {
    cause: '/dev/net/tun does not open, or CAP_NET_ADMIN is missing.',
    look: '`ls -l /dev/net/tun`.',
  },
  'xml-refused': {
    cause: 'It is not well-formed, declares entities, or is larger than any real definition.',
    look: '`xmllint --noout` of it.',
  },
  'switch-unreachable': {
    cause: 'It does not run, hangs, or listens in another run folder.',
    look: '`vhostkit switch status`, --run-dir.',
  },
  'switch-start-failed': {
    cause: 'Its socket, cores or state file could not be had.',
    look: 'The end of its log, shown.',
  },
  'service-unsupported': {
    cause: 'Units are for systemd; this host, or this container, is run by something else.',
    look: '`ls -d /run/systemd/system`.',
  },
  'service-refused': {
    cause: 'A file is there that is not ours as it was, or the unit could not use the program or a folder.',
    look: 'The paths named; the first line of a file of ours has its checksum.',
  },
  'service-failed': {
    cause: 'systemctl, systemd-sysusers or systemd-tmpfiles refused, or the unit did not come up in time.',
    look: '`systemctl status vhostkit-switch` and `journalctl -u vhostkit-switch -n 30`.',
  },
  'switch-refused': {
    cause: 'A request did not fit its protocol or state.',
    look: 'native/PROTOCOL.md has each reason.',
  },
  'switch-changed': {
    cause: 'Its options differ from those planned, and it is not restarted unasked.',
    look: '`vhostkit diff`.',
  },
  'capture-ended': {
    cause: 'The port was removed, or the switch was restarted.',
    look: '`vhostkit switch ports`, `vhostkit events`.',
  },
  'port-exists': { cause: 'Another machine or tool took the name.', look: '`vhostkit switch ports`.' },
  'qemu-start-failed': {
    cause: 'QEMU ended before its monitor answered.',
    look: 'The reason shown, from the log of the machine.',
  },
  'libvirt-unreachable': {
    cause: 'libvirtd is off, or its socket is closed to this user.',
    look: '`systemctl status libvirtd`, `virsh -c URI version`.',
  },
  'domain-failed': {
    cause: 'libvirt found fault with the definition or the state of the domain.',
    look: '`journalctl -u libvirtd`.',
  },
  'domain-refused': {
    cause: 'Something in it has no place on a vhost-user card, or it runs.',
    look: '`virsh dumpxml DOMAIN`.',
  },
  'hooks-failed': {
    cause: 'The folder is closed, or something of others has that name.',
    look: '`ls -l /etc/libvirt/hooks/qemu.d`.',
  },
  'machine-changed': {
    cause: 'The spec changed since, and a machine is not restarted unasked.',
    look: '`vhostkit diff`.',
  },
  'lock-held': { cause: 'Only one may change this host at a time.', look: 'The pid and command shown.' },
  'deployment-elsewhere': {
    cause: 'Its machines would be left there, and others of the same names made here.',
    look: '`vhostkit status`; --driver and --connect, or driver and connect of the spec.',
  },
  'not-found': {
    cause: 'A name was misspelt, or is of another state folder.',
    look: '`vhostkit status`, --state-dir.',
  },
  'step-failed': {
    cause: 'The host did not become what the step promised.',
    look: 'The step and cause shown.',
  },
  timeout: {
    cause: 'A program or guest was slower than its limit.',
    look: 'Load of the host, and the log named.',
  },
  'program-failed': {
    cause: 'It is missing, may not run, or ended with an error.',
    look: 'The program shown, and its arguments.',
  },
  'tap-failed': { cause: 'A link of that name exists, or the kernel refused.', look: '`ip link`.' },
  'monitor-failed': {
    cause: 'QEMU hangs, or is another version than known.',
    look: 'The log of the machine.',
  },
  'devices-many': {
    cause: 'Each card and each virtio disk takes one of the 30 places of the PCI bus.',
    look: 'The count shown.',
  },
  'disk-failed': {
    cause: 'The file system is full, or may not be written.',
    look: 'The sentence shown; `df`.',
  },
  ...networkTexts,
  'console-busy': { cause: 'QEMU serves one at a time.', look: '`ss -xp` with the path of the console.' },
  'console-failed': {
    cause: 'The guest does not read its serial line.',
    look: 'The console log of the machine.',
  },
  'state-damaged': { cause: 'It was edited by hand, or the disk lost it.', look: 'The file named.' },
  'subnet-in-use': { cause: 'A route or address of the host is in it.', look: '`ip route`.' },
  'guest-unavailable': {
    cause: 'The kernel package could not be fetched, or a tool is missing.',
    look: 'The words above; `command -v cpio busybox`.',
  },
  'demo-failed': {
    cause: 'A step of it was slower or lost more than it may.',
    look: 'The stage that failed.',
  },
  interrupted: { cause: 'Ctrl-C, SIGTERM or SIGHUP.', look: '`vhostkit status` for what is left: nothing.' },
  usage: {
    cause: 'A command, argument or option is unknown or missing.',
    look: '`vhostkit COMMAND --help`.',
  },
  internal: { cause: 'Something happened that no rule foresaw.', look: '`--verbose` shows what lies below.' },
  'answers-refused': {
    cause: 'A question of the wizard has no such answer.',
    look: 'The file given with --answers.',
  },
  'file-exists': { cause: 'Nothing of yours is overwritten unasked.', look: 'The file named.' },
  'listen-failed': { cause: 'Somebody has the port, or it needs more rights.', look: '`ss -ltnp`.' },
  'tcpdump-missing': {
    cause: 'A filter is compiled by tcpdump, which is not on the path.',
    look: '`tcpdump --version`.',
  },
  'switch-not-buildable': {
    cause: 'A compiler or a library that the build needs is not there.',
    look: 'The words of the build, shown.',
  },
}
