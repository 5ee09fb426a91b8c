import type { PathUser } from '../core/doctor/reach-path.js'
import type { LibvirtUser } from '../core/facts/facts.js'
import { readText } from '../world/files.js'

/** All groups of a user: the one of /etc/passwd, and those of /etc/group that name it. */
export function parseGroups(name: string, passwd: string, group: string): number[] {
  const own = passwd.split('\n').flatMap((line) => {
    const [user, , , gid] = line.split(':')
    return user === name && gid !== undefined ? [Number(gid)] : []
  })
  const named = group.split('\n').flatMap((line) => {
    const [, , gid, members = ''] = line.split(':')
    return gid !== undefined && members.split(',').includes(name) ? [Number(gid)] : []
  })
  return [...new Set([...own, ...named])]
}

export async function readGroups({ name, uid }: LibvirtUser): Promise<PathUser> {
  const [passwd, group] = await Promise.all(['/etc/passwd', '/etc/group'].map((file) => readText(file)))
  return { name, uid, gids: parseGroups(name, passwd ?? '', group ?? '') }
}
