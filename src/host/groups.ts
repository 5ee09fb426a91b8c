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

/** The user of a name, with the group of /etc/passwd; null when there is none. */
export function parseAccount(name: string, passwd: string): { uid: number; gid: number } | null {
  const [found] = passwd.split('\n').filter((line) => line.startsWith(`${name}:`))
  const [, , uid, gid] = found?.split(':') ?? []
  return uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) }
}

/** The name of the group that a user has in /etc/passwd; null when there is none of either. */
export function parseGroupName(user: string, passwd: string, group: string): string | null {
  const gid = parseAccount(user, passwd)?.gid
  const found = group.split('\n').find((line) => gid !== undefined && line.split(':')[2] === String(gid))
  return found?.split(':')[0] ?? null
}

export async function findGroupName(user: string): Promise<string | null> {
  const [passwd, group] = await Promise.all(['/etc/passwd', '/etc/group'].map((file) => readText(file)))
  return parseGroupName(user, passwd ?? '', group ?? '')
}

export async function findAccount(name: string): Promise<{ uid: number; gid: number } | null> {
  return parseAccount(name, (await readText('/etc/passwd')) ?? '')
}

/** A user by number, for people and for his groups. */
export async function findUser(uid: number): Promise<LibvirtUser> {
  const lines = ((await readText('/etc/passwd')) ?? '').split('\n')
  const name = lines.find((line) => Number(line.split(':')[2]) === uid && line !== '')?.split(':')[0]
  return { name: name ?? `uid ${uid}`, uid }
}

export async function readGroups({ name, uid }: LibvirtUser): Promise<PathUser> {
  const [passwd, group] = await Promise.all(['/etc/passwd', '/etc/group'].map((file) => readText(file)))
  return { name, uid, gids: parseGroups(name, passwd ?? '', group ?? '') }
}
