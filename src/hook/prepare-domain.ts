import { apply } from '../apply/apply.js'
import { Journal } from '../apply/journal.js'
import { VhostkitError } from '../core/errors.js'
import type { DomainNeeds } from '../core/hook/domain-needs.js'
import { addPort, makeFolder, startSwitch } from '../core/steps/make-step.js'
import { samePort } from '../core/steps/same-port.js'
import type { Action, Step } from '../core/steps/steps.js'
import { toPortRequest } from '../drivers/switch/ports.js'
import type { PortInfo } from '../drivers/switch/protocol.js'
import { readBootId } from '../world/boot-id.js'
import { exists } from '../world/files.js'
import { takeLock } from '../world/lock.js'
import { type DomainRecord, newRecord, readRecord, writeRecord } from './domain-record.js'
import { hookHands } from './hook-hands.js'
import { hookLockFolder, releaseDomain } from './release-domain.js'
import type { HookSettings } from './settings.js'
import { readPortsSoon, requireSteady } from './steady-switch.js'
import { takePages } from './take-pages.js'

/** Our own work: libvirt, and whoever starts the domain, wait meanwhile. Waiting for hooks of other domains is not in it. */
const workLimitMs = 2_000
const lockLimitMs = 12_000
const lookLimitMs = 1_500

/**
 * Makes ready what QEMU will need in a moment: folder, hugepages, the switch and its ports.
 * What is there already is left alone, and so is not given back later. All or nothing.
 */
export async function prepareDomain(needs: DomainNeeds, settings: HookSettings): Promise<void> {
  const { state } = settings.folders
  const { control } = settings.switch
  const seen = await lookAtSwitch(control)
  // It does not run yet: what was taken for an earlier start that was cut off is given back first.
  const isChanged = await releaseDomain(needs.uuid, settings)
  const ports = isChanged && seen !== null ? await readPortsSoon(control) : seen
  const missing = needs.ports.filter((port) => !ports?.some((there) => samePort(toPortRequest(there), port)))
  const folders = await filterAsync(needs.folders, async (path) => !(await exists(path)))
  const steps: Step[] = [
    ...folders.map((path) => makeFolder(path, settings.uid)),
    ...(ports === null ? [startSwitch(settings.switch.argv, control)] : []),
    ...missing.map((port) => addPort(control, port)),
  ]
  if (steps.length === 0 && needs.pages.length === 0) return
  const owed = isChanged ? ((await readRecord(state, needs.uuid))?.owed ?? []) : []
  const record = { ...newRecord(needs.uuid, needs.name, await readBootId()), owed }
  const journal = new Journal<DomainRecord>(record, (changed) => writeRecord(state, changed))
  const options = {
    hands: hookHands,
    journal,
    progress: () => undefined,
    graceMs: 0,
    onFailure: 'undo' as const,
    verifyLimitMs: 500,
  }
  // What undoes a step is written before the step is done.
  record.giveBack = steps
    .flatMap(({ undo }) => (undo === null ? [] : [undo]))
    .filter(isOurs)
    .reverse()
  await journal.begin('prepare')
  try {
    await takePages(needs, record, options, state)
    const work = () => apply(steps, { ...options, signal: AbortSignal.timeout(workLimitMs) })
    if (ports === null) await underLock(state, work)
    else await work()
    await journal.end('applied')
  } catch (error) {
    throw isTimeout(error) ? tooSlow(error) : error
  }
}

/** The switch is everybody's once it runs. */
function isOurs(action: Action): boolean {
  return action.do !== 'stop-switch'
}

/** null when it is off; one that cannot be relied on is an error, soon. */
async function lookAtSwitch(control: string): Promise<PortInfo[] | null> {
  const end = performance.now() + lookLimitMs
  const ports = await readPortsSoon(control)
  if (ports !== null) await requireSteady(control, end)
  return ports
}

/** Two domains that start at once must not both start the switch. */
async function underLock(state: string, task: () => Promise<void>): Promise<void> {
  const lock = await takeLock(hookLockFolder(state), 'vhostkit hook', lockLimitMs)
  if (!lock.taken) throw new VhostkitError('lock-held', { sentence: 'Other domains start at the same time.' })
  try {
    await task()
  } finally {
    await lock.release()
  }
}

async function filterAsync<T>(items: T[], keep: (item: T) => Promise<boolean>): Promise<T[]> {
  const kept = await Promise.all(items.map(keep))
  return items.filter((_, index) => kept[index])
}

/** The reason of a signal whose time is over. */
function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError'
}

function tooSlow(cause: unknown): VhostkitError {
  return new VhostkitError('timeout', {
    sentence: `Ports and hugepages were not ready within ${workLimitMs / 1000} s.`,
    hint: 'See `vhostkit doctor`; the domain can be started again.',
    cause,
  })
}
