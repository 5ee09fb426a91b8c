import { VhostkitError } from '../../core/errors.js'
import { type ProgramResult, runProgram } from '../../world/run-program.js'

export interface VirshOptions {
  timeoutMs?: number
  signal?: AbortSignal | undefined
}

/** A call that only asks: libvirt answers in milliseconds, but its first start of all probes QEMU for seconds. */
const askLimitMs = 15_000

const environment = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` }

/** Runs one command of virsh. A libvirt that does not answer is an error; all else is the caller's to judge. */
export async function virsh(
  connect: string,
  args: readonly string[],
  { timeoutMs = askLimitMs, signal }: VirshOptions = {},
): Promise<ProgramResult> {
  const result = await runProgram('virsh', ['--quiet', '--connect', connect, ...args], {
    timeoutMs,
    env: environment,
    ...(signal === undefined ? {} : { signal }),
  })
  if (!result.ok && isUnreachable(result.stderr)) {
    throw new VhostkitError('libvirt-unreachable', {
      sentence: `libvirt does not answer on ${connect}: ${said(result)}.`,
      cause: result.stderr,
    })
  }
  return result
}

/** The same, for commands that must succeed. */
export async function mustVirsh(
  connect: string,
  args: readonly string[],
  options: VirshOptions = {},
): Promise<string> {
  const result = await virsh(connect, args, options)
  if (result.ok) return result.stdout
  throw new VhostkitError('domain-failed', {
    sentence: `virsh ${args.slice(0, 2).join(' ')}: ${said(result)}.`,
    cause: result.stderr,
  })
}

/** The last thing that virsh complained of, without its "error: " and its full stop. */
export function said({ stderr, failure }: ProgramResult): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '')
  const complaint = lines.filter((line) => line.startsWith('error:')).at(-1) ?? lines.at(-1) ?? failure
  return complaint.replace(/^error:\s*/, '').replace(/\.$/, '')
}

export function isUnreachable(stderr: string): boolean {
  return /failed to connect to the hypervisor|Failed to connect socket|no connection driver available/i.test(
    stderr,
  )
}

export function isNoDomain(stderr: string): boolean {
  return /failed to get domain|Domain not found|no domain with matching/i.test(stderr)
}
