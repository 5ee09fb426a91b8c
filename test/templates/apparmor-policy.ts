import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = 'templates/apparmor'
export const abstraction = readFileSync(`${folder}/abstractions/vhostkit-qemu`, 'utf8')
/** Of the switch. */
export const profile = readFileSync(`${folder}/vhostkit-switch`, 'utf8')
export const parser = '/usr/sbin/apparmor_parser'

/** The profile of a QEMU under libvirt, flags as in libvirt's template, that has our rules beside libvirt's own. */
export function guestPolicy(name: string, rules = '#include <abstractions/vhostkit-qemu>'): string {
  return `#include <tunables/global>\nprofile ${name} flags=(attach_disconnected) {\n#include <abstractions/libvirt-qemu>\n${rules}\n}\n`
}

/** Compiles a policy and loads nothing: that takes no kernel with AppArmor. `binary` is what a kernel takes; null: it was refused. */
export function compilePolicy(text: string): {
  status: number | null
  stderr: string
  binary: Uint8Array | null
} {
  const work = mkdtempSync(join(tmpdir(), 'vkt-'))
  const [policy, binary] = [join(work, 'policy'), join(work, 'binary')]
  writeFileSync(policy, text)
  const args = [
    '--skip-kernel-load',
    '--skip-cache',
    '--base',
    '/etc/apparmor.d',
    '-I',
    folder,
    '-o',
    binary,
    policy,
  ]
  const { status, stderr } = spawnSync(parser, args, { encoding: 'utf8', timeout: 60_000 })
  const made = status === 0 && existsSync(binary) ? readFileSync(binary) : null
  rmSync(work, { recursive: true })
  return { status, stderr, binary: made }
}
