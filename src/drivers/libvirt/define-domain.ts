import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DomainArtifact } from '../../core/render/artifacts.js'
import { removeFolder, writeTextAtomic } from '../../world/files.js'
import { isNoDomain, mustVirsh, virsh } from './virsh.js'

/** Gives libvirt the definition; one of the same UUID is replaced, another one of that name refused. */
export async function defineDomain({ connect, xml }: DomainArtifact, signal?: AbortSignal): Promise<void> {
  // A folder of our own: nobody may change the text between us and libvirt. virsh cannot read it from a socket.
  const folder = await mkdtemp(join(tmpdir(), 'vhostkit-define-'))
  try {
    const path = join(folder, 'domain.xml')
    await writeTextAtomic(path, xml)
    await mustVirsh(connect, ['define', '--validate', path], { signal })
  } finally {
    await removeFolder(folder)
  }
}

/** Takes the definition away, and no file with it; nothing happens when there is none. */
export async function undefineDomain({ connect, uuid }: DomainArtifact): Promise<void> {
  const args = ['undefine', '--managed-save', '--snapshots-metadata', '--keep-nvram', uuid]
  const result = await virsh(connect, args)
  if (result.ok || isNoDomain(result.stderr)) return
  await mustVirsh(connect, args)
}
