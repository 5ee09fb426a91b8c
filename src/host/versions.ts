import { join } from 'node:path'
import type { Facts } from '../core/facts/facts.js'
import { mayAccess } from '../world/files.js'
import { runProgram } from '../world/run-program.js'

/** The version in the first line of `qemu-system-x86_64 --version`. */
export function parseQemuVersion(text: string): string | null {
  return /^QEMU emulator version (\d+(?:\.\d+)+)/.exec(text)?.[1] ?? null
}

/** The version that `virsh --version` or `libvirtd --version` ends with. */
export function parseLibvirtVersion(text: string): string | null {
  return /(\d+\.\d+\.\d+)\s*$/.exec(text.trim())?.[1] ?? null
}

export async function readQemu(): Promise<Facts['qemu']> {
  const path = await findProgram('qemu-system-x86_64')
  if (path === null) return null
  const version = parseQemuVersion((await runProgram(path, ['--version'])).stdout)
  return version === null ? null : { path, version }
}

export async function readLibvirt(): Promise<Facts['libvirt']> {
  const path = await findProgram('virsh')
  if (path === null) return null
  const version = parseLibvirtVersion((await runProgram(path, ['--version'])).stdout)
  return version === null ? null : { version }
}

/** The absolute path of a program in PATH; sbin counts even where PATH lacks it. */
export async function findProgram(name: string): Promise<string | null> {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']
  for (const folder of folders) {
    const path = join(folder, name)
    if (folder.startsWith('/') && (await mayAccess(path, 'x'))) return path
  }
  return null
}
