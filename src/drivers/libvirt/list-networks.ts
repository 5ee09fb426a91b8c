import { findProgram } from '../../host/versions.js'
import { virsh } from './virsh.js'

/** Names of the networks that libvirt itself has; null when it is not there or does not answer. */
export async function listNetworks(connect: string): Promise<string[] | null> {
  if ((await findProgram('virsh')) === null) return null
  const listed = await virsh(connect, ['net-list', '--all', '--name'], { timeoutMs: 5_000 }).catch(() => null)
  if (listed?.ok !== true) return null
  return listed.stdout.split('\n').filter((name) => name.trim() !== '')
}
