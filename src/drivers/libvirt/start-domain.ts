import { VhostkitError } from '../../core/errors.js'
import type { DomainArtifact, MachineArtifact } from '../../core/render/artifacts.js'
import { gib } from '../../core/spec/size.js'
import { startFailure } from '../qemu/start-failure.js'
import { isActive, readDomainState } from './read-domain.js'
import { virsh } from './virsh.js'

/** libvirt takes a second or two around the start of QEMU itself, and much longer on a busy host. */
const startLimitMs = 30_000
/** Pages touched one by one (allocation immediate). */
const msPerGib = 2_000
const destroyLimitMs = 10_000

/**
 * Starts a domain. Its ports were registered in the switch before, so QEMU finds
 * a peer at once; without one `virsh start` would block for ever, so it has a limit,
 * and what it left is destroyed: ending virsh alone does not cancel the start.
 */
export async function startDomain(
  machine: MachineArtifact,
  domain: DomainArtifact,
  signal?: AbortSignal,
): Promise<void> {
  const { connect, uuid } = domain
  if (isActive(await readDomainState(domain))) return
  const timeoutMs = startLimitMs + (memoryBytes(machine) / gib) * msPerGib
  const result = await virsh(connect, ['start', uuid], { timeoutMs, signal })
  // Somebody else may have started it meanwhile: that one is not destroyed.
  const isThere = result.ok || /domain is already (active|running)/i.test(result.stderr)
  const state = isThere ? await readDomainState(domain) : null
  if (state === 'running') return
  await virsh(connect, ['destroy', uuid], { timeoutMs: destroyLimitMs })
  signal?.throwIfAborted()
  const why = result.timedOut
    ? `libvirt did not start it within ${timeoutMs / 1000} s.`
    : result.ok
      ? `It is ${state ?? 'gone'} after its start.`
      : 'libvirt could not start it.'
  throw describe(machine, domain, why, result.stderr.trim())
}

function describe(
  machine: MachineArtifact,
  domain: DomainArtifact,
  why: string,
  stderr: string,
): VhostkitError {
  const words = stderr.replace(/^error:\s*/gm, '')
  const unreadable = /Could not open '([^']+)': Permission denied|could not load kernel '([^']+)'/i.exec(
    words,
  )
  if (unreadable !== null && domain.uid !== null) {
    return new VhostkitError('qemu-start-failed', {
      sentence: `Machine ${machine.name} did not start. QEMU, which libvirt runs as uid ${domain.uid}, cannot read ${unreadable[1] ?? unreadable[2]}.`,
      hint: `Put it where that user can read it (each folder above it needs x for others), such as /var/lib/libvirt/images.`,
      cause: words,
    })
  }
  return startFailure(machine.name, why, words, `the log of ${domain.name} in /var/log/libvirt/qemu`)
}

function memoryBytes({ hugepages }: MachineArtifact): number {
  return hugepages.reduce((sum, { pageBytes, pages }) => sum + pageBytes * pages, 0)
}
