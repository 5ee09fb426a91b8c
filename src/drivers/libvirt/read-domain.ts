import type { DomainArtifact, MachineArtifact } from '../../core/render/artifacts.js'
import { domainLosses } from '../../core/steps/same.js'
import type { LiveMachine } from '../../core/steps/steps.js'
import { findProcessIds } from '../../world/processes.js'
import type { Verdict } from '../driver.js'
import { isNoDomain, mustVirsh, virsh } from './virsh.js'

/** "running", "paused", "shut off" and so on; null when libvirt has no such domain. */
export async function readDomainState({ connect, uuid }: DomainArtifact): Promise<string | null> {
  const result = await virsh(connect, ['domstate', uuid])
  if (!result.ok && isNoDomain(result.stderr)) return null
  return result.ok ? result.stdout.trim() : mustVirsh(connect, ['domstate', uuid])
}

/** Whether QEMU runs in that state. */
export function isActive(state: string | null): boolean {
  return state !== null && state !== 'shut off' && state !== 'crashed'
}

/** The definition that the domain will start from next; null when libvirt has none. */
export async function readDefinition({ connect, uuid }: DomainArtifact): Promise<string | null> {
  const result = await virsh(connect, ['dumpxml', '--inactive', '--security-info', uuid])
  if (!result.ok && isNoDomain(result.stderr)) return null
  return result.ok ? result.stdout : mustVirsh(connect, ['dumpxml', '--inactive', uuid])
}

/** What exists of a machine that libvirt runs. */
export async function readDomainMachine(
  machine: MachineArtifact,
  domain: DomainArtifact,
): Promise<LiveMachine> {
  const state = await readDomainState(domain)
  const running = isActive(state)
  return {
    name: machine.name,
    running,
    pid: running ? await readDomainPid(domain) : 0,
    argv: null,
    domain: { xml: state === null ? null : await readDefinition(domain) },
  }
}

/** libvirt has no command that tells it; QEMU's own arguments name the domain. 0 when it cannot be seen. */
async function readDomainPid({ uuid }: DomainArtifact): Promise<number> {
  const [pid = 0] = await findProcessIds((argv) => argv[argv.indexOf('-uuid') + 1] === uuid)
  return pid
}

/** Whether libvirt has the definition, with all that is in it; with null, whether it has none. */
export async function checkDefinition(domain: DomainArtifact, xml: string | null): Promise<Verdict> {
  const found = await readDefinition(domain)
  if (xml === null || found === null) {
    const there = found === null ? 'not there' : 'there'
    return { ok: found === xml, found: `domain ${domain.name} is ${there}` }
  }
  const losses = domainLosses({ ...domain, xml }, found)
  return { ok: losses.length === 0, found: `libvirt lost ${losses.slice(0, 3).join(', ')}` }
}
