import type { Facts } from '../core/facts/facts.js'
import { readText } from '../world/files.js'
import { findProgram } from './versions.js'

/** Debian's own user for it, else the one that owns nothing. */
const usualUsers = ['dnsmasq', 'nobody']

/** Somebody without rights, with his group, in the texts of /etc/passwd and /etc/group. */
export function parseAccount(passwd: string, group: string): { user: string; group: string } | null {
  const accounts = usualUsers.flatMap((user) => {
    const line = passwd.split('\n').find((one) => one.startsWith(`${user}:`))
    const [, , uid, gid] = line?.split(':') ?? []
    const name = group.split('\n').find((one) => gid !== undefined && one.split(':')[2] === gid)
    return uid === undefined || uid === '0' || name === undefined
      ? []
      : [{ user, group: name.split(':')[0] ?? '' }]
  })
  return accounts[0] ?? null
}

export async function readDnsmasq(): Promise<Facts['dnsmasq']> {
  const path = await findProgram('dnsmasq')
  if (path === null) return null
  const [passwd, group] = await Promise.all(['/etc/passwd', '/etc/group'].map((file) => readText(file)))
  const account = parseAccount(passwd ?? '', group ?? '')
  return account === null ? null : { path, ...account }
}
