import { join } from 'node:path'
import { VhostkitError } from '../../core/errors.js'
import { readBootId } from '../../world/boot-id.js'
import { listFolder, readText, removeFile, writeKernelFile, writeTextAtomic } from '../../world/files.js'

/** Where the kernel keeps its settings; tests give another folder. */
export interface NetSettings {
  ipv4: string
}

const settings: NetSettings = { ipv4: '/proc/sys/net/ipv4' }

/**
 * Who uses forwarding, and how the kernel was set before the first of them. A change of ip_forward sets more
 * than itself: the forwarding of each link, and whether redirects are taken; all of it comes back.
 */
export interface ForwardingAccount {
  version: 1
  boot: string
  users: string[]
  before: { ip_forward: string; accept_redirects: string; links: Record<string, string> }
}

export async function readForwarding({ ipv4 } = settings): Promise<boolean> {
  return (await readSetting(join(ipv4, 'ip_forward'))) === '1'
}

export async function holdsForwarding(path: string, user: string): Promise<boolean> {
  return (await readAccount(path))?.users.includes(user) === true
}

/** Has the host forward IPv4 for one more user. Written down before anything is touched. To be called under the lock. */
export async function takeForwarding(path: string, user: string, where = settings): Promise<void> {
  const account = (await readAccount(path)) ?? (await openAccount(where))
  if (!account.users.includes(user)) account.users.push(user)
  await writeTextAtomic(path, `${JSON.stringify(account, null, 1)}\n`)
  if (!(await readForwarding(where))) await writeKernelFile(join(where.ipv4, 'ip_forward'), '1')
}

/** One user less; after the last one all is as it was before the first. */
export async function giveForwarding(path: string, user: string, where = settings): Promise<void> {
  const account = await readAccount(path)
  if (account === null || !account.users.includes(user)) return
  account.users = account.users.filter((other) => other !== user)
  if (account.users.length > 0) return writeTextAtomic(path, `${JSON.stringify(account, null, 1)}\n`)
  await restore(account.before, where)
  await removeFile(path)
}

/** Nothing when it was on before us, or somebody has turned it off meanwhile. */
async function restore(before: ForwardingAccount['before'], where: NetSettings): Promise<void> {
  const { ipv4 } = where
  if (before.ip_forward === '1' || !(await readForwarding(where))) return
  await writeKernelFile(join(ipv4, 'ip_forward'), before.ip_forward)
  const values: [string, string][] = [
    ['conf/all/accept_redirects', before.accept_redirects],
    ...Object.entries(before.links).map(([link, value]): [string, string] => [
      `conf/${link}/forwarding`,
      value,
    ]),
  ]
  for (const [name, value] of values) {
    const now = await readSetting(join(ipv4, name))
    if (now !== null && now !== value) await writeKernelFile(join(ipv4, name), value)
  }
}

async function openAccount({ ipv4 }: NetSettings): Promise<ForwardingAccount> {
  const read = async (name: string) => (await readSetting(join(ipv4, name))) ?? '0'
  const links = (await listFolder(join(ipv4, 'conf'))).filter((link) => link !== 'all')
  const each = await Promise.all(
    links.map(async (link): Promise<[string, string]> => [link, await read(`conf/${link}/forwarding`)]),
  )
  return {
    version: 1,
    boot: await readBootId(),
    users: [],
    before: {
      ip_forward: await read('ip_forward'),
      accept_redirects: await read('conf/all/accept_redirects'),
      links: Object.fromEntries(each),
    },
  }
}

/** Of this boot: another one began with settings of its own. */
async function readAccount(path: string): Promise<ForwardingAccount | null> {
  const text = await readText(path)
  if (text === null) return null
  const account = parseAccount(text)
  if (account === null)
    throw new VhostkitError('state-damaged', { sentence: `The account ${path} is damaged.` })
  return account.boot === (await readBootId()) ? account : null
}

function parseAccount(text: string): ForwardingAccount | null {
  try {
    const value = JSON.parse(text) as Partial<ForwardingAccount>
    const complete =
      value.version === 1 &&
      typeof value.boot === 'string' &&
      Array.isArray(value.users) &&
      typeof value.before?.ip_forward === 'string' &&
      typeof value.before.accept_redirects === 'string' &&
      typeof value.before.links === 'object'
    return complete ? (value as ForwardingAccount) : null
  } catch {
    return null
  }
}

async function readSetting(path: string): Promise<string | null> {
  return (await readText(path))?.trim() ?? null
}
