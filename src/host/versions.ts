import { join } from 'node:path'
import type { Facts } from '../core/facts/facts.js'
import { mayAccess } from '../world/files.js'
import { runProgram } from '../world/run-program.js'

/** The version in the first line of `qemu-system-x86_64 --version`. */
export function parseQemuVersion(text: string): string | null {
  return /^QEMU emulator version (\d+(?:\.\d+)+)/.exec(text)?.[1] ?? null
}

export async function readQemu(): Promise<Facts['qemu']> {
  const path = await findProgram('qemu-system-x86_64')
  if (path === null) return null
  const version = parseQemuVersion((await runProgram(path, ['--version'])).stdout)
  return version === null ? null : { path, version }
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
