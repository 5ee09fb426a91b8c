import type { ErrorText } from './error-texts.js'

/** Of errors that a spec and what it names bring about. */
export const specTexts = {
  'spec-refused': {
    cause: 'One or more values in it do not fit together.',
    look: 'Each line shown: file, line, path, what was expected.',
  },
  'spec-unreadable': {
    cause: 'It is not there, or this user may not read it.',
    look: '`ls -l` of the file.',
  },
  'spec-syntax': {
    cause: 'An indent, a quote or a bracket is wrong.',
    look: 'The line and column shown; `vhostkit schema` for editors that check as you type.',
  },
  'spec-too-large': {
    cause: 'Only a small, flat file is read, so that no file can exhaust memory.',
    look: '`wc -c` of the file; anchors and aliases in it.',
  },
  'spec-value': {
    cause: 'A key has a word or number that it does not know.',
    look: 'docs/spec.md, which has every key.',
  },
  'key-missing': {
    cause: 'A mapping lacks something that cannot be guessed.',
    look: 'The path shown, and docs/spec.md.',
  },
  'key-unknown': {
    cause: 'Mostly a spelling, or a key at the wrong depth.',
    look: 'The suggestion shown; docs/spec.md.',
  },
  'key-duplicate': { cause: 'YAML would silently keep the last one.', look: 'Both lines shown.' },
  'name-invalid': {
    cause: 'Names become folders, ports and domains, so they are plain.',
    look: 'The name shown.',
  },
  'name-duplicate': {
    cause: 'Two machines or networks could not be told apart.',
    look: 'Both places shown.',
  },
  'network-unknown': { cause: 'Its name stands under no networks entry.', look: 'The networks of the spec.' },
  'link-shape': {
    cause: 'A wire has two ends, and no host address.',
    look: 'The interfaces of that network.',
  },
  'mirror-shape': {
    cause: 'The target is missing, is itself a mirror, or has frames of its own.',
    look: 'The mirror keys of the spec.',
  },
  'address-invalid': {
    cause: 'It is not IPv4 with a prefix, or is the address of the network itself.',
    look: 'The value shown.',
  },
  'address-overlap': {
    cause: 'The host would have two ways to one subnet.',
    look: 'The host keys of the networks.',
  },
  'mac-invalid': {
    cause: 'It is not six bytes in hexadecimal, or is a multicast one.',
    look: 'The value shown.',
  },
  'mac-duplicate': {
    cause: 'The switch could not tell the two cards apart.',
    look: 'The mac keys of the spec.',
  },
  'memory-uneven': {
    cause: 'Each guest node is made of whole pages.',
    look: 'memory, nodes and the page size.',
  },
  'cpus-short': { cause: 'There are more guest nodes than vCPUs.', look: 'cpus and nodes of the machine.' },
  'boot-missing': {
    cause: 'No kernel, disk or guest of the demo is known.',
    look: 'The boot keys of the spec.',
  },
  'image-format': {
    cause: 'A guest could write the header of another format, and name any file of the host in it.',
    look: '`qemu-img info` of the image.',
  },
  'image-shared': {
    cause: 'Two guests, or a guest and an overlay, would meet in one file.',
    look: 'Both places shown.',
  },
  'image-size': {
    cause: 'A disk that is cut off loses what was at its end.',
    look: '`qemu-img info` of the image.',
  },
  'socket-path-too-long': { cause: 'The kernel holds socket paths of 107 bytes.', look: 'The path shown.' },
} satisfies Record<string, ErrorText>
