import { join } from 'node:path'

/** Where ssh keeps the keys of a deployment's machines; `destroy` removes it, since new machines have new keys. */
export function knownHostsFile(stateFolder: string, deployment: string): string {
  return join(stateFolder, 'ssh', `${deployment}.known_hosts`)
}
