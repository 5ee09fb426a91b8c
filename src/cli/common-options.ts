/** What every command takes. */
export const commonOptions: readonly { flags: string; about: string }[] = [
  { flags: '--json', about: 'print one JSON object on stdout' },
  { flags: '--quiet', about: 'no progress on stderr, only the result or the error' },
  { flags: '--verbose', about: 'keep every line of progress; say what lies below an error' },
  { flags: '--wait <seconds>', about: 'how long to wait for another vhostkit at work (10)' },
  { flags: '--run-dir <folder>', about: 'sockets, pids and logs (else VHOSTKIT_RUN_DIR)' },
  { flags: '--state-dir <folder>', about: 'receipts, disks and the lock (else VHOSTKIT_STATE_DIR)' },
]

export const connect = {
  flags: '--connect <uri>',
  about: 'URI of libvirt (qemu:///system as root, else qemu:///session)',
}
