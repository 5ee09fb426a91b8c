import { join } from 'node:path'
import { mayAccess } from '../../src/world/files.js'

/** Where a program stands, in PATH and where Debian keeps those of administrators; null when nowhere. */
export async function findProgram(name: string): Promise<string | null> {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']
  for (const folder of folders.filter((path) => path !== '')) {
    const path = join(folder, name)
    if (await mayAccess(path, 'x')) return path
  }
  return null
}
