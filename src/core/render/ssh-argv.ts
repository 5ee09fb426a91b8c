export interface SshTarget {
  /** IPv4 or IPv6, with its scope where it needs one. */
  address: string
  /** null: ssh's own choice. */
  user: string | null
  /** File of the one private key to try; null: ssh's own choice. */
  identity: string | null
  /** The keys of machines of one deployment, which go when it does. */
  knownHosts: string
  /** What the key is kept under: addresses are used again, names are not. */
  alias: string
  /** Words for the machine; empty: a shell. */
  command: readonly string[]
}

/** The command line of ssh. A key that was never seen is kept, one that has changed is refused. */
export function renderSshArgv(target: SshTarget): string[] {
  const { address, user, identity, knownHosts, alias, command } = target
  const options = [
    `UserKnownHostsFile=${quotePath(knownHosts)}`,
    'GlobalKnownHostsFile=/dev/null',
    'StrictHostKeyChecking=accept-new',
    `HostKeyAlias=${alias}`,
    'CheckHostIP=no',
    'ConnectTimeout=10',
    // An agent with many keys has its turn first, and servers end that after some six.
    ...(identity === null ? [] : ['IdentitiesOnly=yes']),
  ]
  return [
    'ssh',
    ...options.flatMap((option) => ['-o', option]),
    ...(identity === null ? [] : ['-i', identity]),
    ...(user === null ? [] : ['-l', user]),
    '--',
    address,
    ...command,
  ]
}

/** ssh takes the value apart at blanks, and replaces what follows a "%". */
function quotePath(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&').replaceAll('%', '%%')}"`
}
