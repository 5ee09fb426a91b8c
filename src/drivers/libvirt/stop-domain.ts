import type { DomainArtifact } from '../../core/render/artifacts.js'
import { pause } from '../../world/wait-for.js'
import { isActive, readDomainState } from './read-domain.js'
import { mustVirsh, virsh } from './virsh.js'

const askLimitMs = 5_000
/** libvirt itself gives QEMU 10 s after SIGTERM, and 5 more after SIGKILL. */
const destroyLimitMs = 20_000

/** Ends a domain: the power button first, when there is patience for it, then the end. */
export async function stopDomain(
  domain: DomainArtifact,
  graceMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const { connect, uuid } = domain
  if (!isActive(await readDomainState(domain))) return
  if (graceMs > 0) {
    const asked = await virsh(connect, ['shutdown', uuid], { timeoutMs: askLimitMs })
    if (asked.ok && (await isOffWithin(domain, graceMs, signal))) return
  }
  const ended = await virsh(connect, ['destroy', uuid], { timeoutMs: destroyLimitMs })
  if (ended.ok || !isActive(await readDomainState(domain))) return
  await mustVirsh(connect, ['destroy', uuid], { timeoutMs: destroyLimitMs })
}

/** An abort ends the patience, not the stop. */
async function isOffWithin(domain: DomainArtifact, limitMs: number, signal?: AbortSignal): Promise<boolean> {
  const end = performance.now() + limitMs
  while (performance.now() < end && !signal?.aborted) {
    if (!isActive(await readDomainState(domain))) return true
    await pause(200)
  }
  return false
}
