import type { KvmFact } from '../core/facts/facts.js'
import { opensReadWrite, readText } from '../world/files.js'
import { runProgram } from '../world/run-program.js'

/** A guest of one sector that says "!" on its serial line and ends QEMU: enough to see KVM run code. */
const probeLimitMs = 10_000
const probeDevice = 'isa-debug-exit,iobase=0xf4,iosize=0x01'
/** isa-debug-exit ends QEMU with (value << 1) | 1. */
const probeExitCode = (0x21 << 1) | 1

/** Whether the processor offers virtualization to this system (vmx or svm among the flags). */
export function parseHasVirtualization(cpuinfo: string): boolean {
  return /^flags\s*:.*\s(?:vmx|svm)(?:\s|$)/m.test(cpuinfo)
}

/**
 * Whether KVM really runs a guest. /dev/kvm may open and QEMU may say "running"
 * on hosts where no guest gets anywhere, so the last word has a probe that runs.
 */
export async function readKvm(qemu: string | null): Promise<KvmFact> {
  if (!(await opensReadWrite('/dev/kvm'))) return { usable: false, why: '/dev/kvm does not open read-write.' }
  if (!parseHasVirtualization((await readText('/proc/cpuinfo')) ?? '')) {
    return { usable: false, why: '/dev/kvm opens, but the processor offers neither vmx nor svm.' }
  }
  if (qemu === null) return { usable: false, why: 'There is no QEMU to try KVM with.' }
  return runProbe(qemu)
}

async function runProbe(qemu: string): Promise<KvmFact> {
  const { mkdtemp, rm, writeFile } = await import('node:fs/promises')
  const folder = await mkdtemp('/tmp/vhostkit-kvm-')
  try {
    const disk = `${folder}/probe`
    await writeFile(disk, makeProbeSector())
    const args = [
      '-accel',
      'kvm',
      '-cpu',
      'host',
      '-m',
      '16M',
      '-display',
      'none',
      '-nodefaults',
      '-no-user-config',
    ]
    const boot = ['-drive', `file=${disk},format=raw,if=floppy`, '-boot', 'a', '-device', probeDevice]
    const result = await runProgram(qemu, [...args, ...boot], { timeoutMs: probeLimitMs })
    if (result.exitCode === probeExitCode) return { usable: true, why: 'A probe guest ran under KVM.' }
    if (result.timedOut) {
      return { usable: false, why: `A probe guest got nowhere under KVM in ${probeLimitMs / 1000} s.` }
    }
    return { usable: false, why: `A probe guest failed under KVM: ${result.failure}.` }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A boot sector: mov al,0x21; out 0xf4,al; hlt; jmp $-1. */
export function makeProbeSector(): Uint8Array {
  const sector = new Uint8Array(512)
  sector.set([0xb0, 0x21, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd])
  sector.set([0x55, 0xaa], 510)
  return sector
}
