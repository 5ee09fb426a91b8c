import type { Facts, LibvirtUser } from '../core/facts/facts.js'
import { readText } from '../world/files.js'
import { runProgram } from '../world/run-program.js'
import { findProgram } from './versions.js'

/** The version that `virsh --version` or `libvirtd --version` ends with. */
export function parseLibvirtVersion(text: string): string | null {
  return /(\d+\.\d+\.\d+)\s*$/.exec(text.trim())?.[1] ?? null
}

/** Debian, Fedora: who runs QEMU unless qemu.conf says otherwise. */
const usualUsers = ['libvirt-qemu', 'qemu']

/** Who runs QEMU: the `user` of qemu.conf (a name, or "+" and a number), else the usual one that exists. */
export function parseLibvirtUser(qemuConf: string, passwd: string): LibvirtUser | null {
  const users = passwd.split('\n').flatMap((line) => {
    const [name = '', , uid] = line.split(':')
    return uid === undefined ? [] : [{ name, uid: Number(uid) }]
  })
  const set = /^\s*user\s*=\s*"([^"]+)"/m.exec(qemuConf)?.[1]
  if (set === undefined) {
    return usualUsers.flatMap((name) => users.find((user) => user.name === name) ?? [])[0] ?? null
  }
  const number = /^\+?(\d+)$/.exec(set)?.[1]
  const uid = number === undefined ? undefined : Number(number)
  return (
    users.find((user) => user.name === set || user.uid === uid) ??
    (uid === undefined ? null : { name: set, uid })
  )
}

export async function readLibvirt(): Promise<Facts['libvirt']> {
  const path = await findProgram('virsh')
  if (path === null) return null
  const version = parseLibvirtVersion((await runProgram(path, ['--version'])).stdout)
  // Only root may read it; others use the session instance, which runs QEMU as they are.
  const [qemuConf, passwd] = await Promise.all(
    ['/etc/libvirt/qemu.conf', '/etc/passwd'].map((file) => readText(file).catch(() => null)),
  )
  return version === null ? null : { version, user: parseLibvirtUser(qemuConf ?? '', passwd ?? '') }
}
