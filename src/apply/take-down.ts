import { portPrefix } from '../core/spec/names.js'
import { isSeed } from '../core/steps/files.js'
import { removeFile } from '../core/steps/make-step.js'
import { stepsToDestroy, stepsToStart, stepsToStop } from '../core/steps/start-stop-destroy.js'
import type { Live, Step } from '../core/steps/steps.js'
import { removeMachineFile } from '../drivers/host/machine-files.js'
import { readLive } from '../drivers/live.js'
import { exists, removeFile as removePath } from '../world/files.js'
import { keepOldReceipt } from './deploy.js'
import { readStored } from './kept-disks.js'
import { knownHostsFile } from './known-hosts.js'
import { carryOut, type Operation, withLock } from './operation.js'
import { forgetOrphans } from './orphan-ports.js'
import { readSettledReceipt } from './prepare.js'
import { knownArtifacts, type Receipt, removeReceipt } from './receipt.js'
import { unknownDeployment } from './unknown-deployment.js'

/** A deployment that was applied, as it is now. */
interface Applied {
  receipt: Receipt
  live: Live
}

/** Starts machines of a deployment that was applied; all of them without names. */
export async function start(deployment: string, names: string[], operation: Operation): Promise<Step[]> {
  return withLock(operation, async () => {
    const { receipt, live } = await readApplied(deployment, operation)
    const steps = stepsToStart(receipt.artifacts, live, names.length > 0 ? names : allNames(receipt))
    if (steps.length === 0) return steps
    const before = structuredClone(receipt)
    try {
      await (await carryOut(steps, receipt, operation, 'undo')).end('applied')
    } catch (error) {
      await keepOldReceipt(before, receipt, operation.folders.state)
      throw error
    }
    await forgetOrphans(operation.folders)
    return steps
  })
}

/** Stops machines; their ports stay, so that they can come back. */
export async function stop(deployment: string, names: string[], operation: Operation): Promise<Step[]> {
  return withLock(operation, async () => {
    const { receipt, live } = await readApplied(deployment, operation)
    const steps = stepsToStop(receipt.artifacts, live, names.length > 0 ? names : allNames(receipt))
    if (steps.length === 0) return steps
    const journal = await carryOut(steps, receipt, operation, 'continue')
    await journal.end(names.length > 0 ? 'applied' : 'stopped')
    return steps
  })
}

/** The steps that would take a deployment down. */
export async function planDestroy(
  deployment: string,
  disks: boolean,
  operation: Pick<Operation, 'folders'>,
): Promise<Step[]> {
  const { receipt, live } = await readWithDisks(deployment, operation)
  return stepsToDestroy(receipt.artifacts, live, { applied: knownArtifacts(receipt), disks })
}

export interface TakenDown {
  steps: Step[]
  /** The switch was off, so its state file keeps these ports until it runs again. */
  remembered: string[]
  /** Disks and firmware variables that stay, for the next apply, and those that are gone with what was in them. */
  kept: string[]
  removed: string[]
}

/**
 * Takes a deployment down, whatever of it exists, also after a crash in the middle of an operation.
 * What its guests wrote stays unless `disks` says otherwise, also when all else is gone already.
 */
export async function destroy(deployment: string, disks: boolean, operation: Operation): Promise<TakenDown> {
  return withLock(operation, async () => {
    const left = disks ? await removeLeftDisks(deployment, operation) : null
    if (left !== null) return left
    const { receipt, live } = await readWithDisks(deployment, operation)
    const steps = stepsToDestroy(receipt.artifacts, live, { applied: knownArtifacts(receipt), disks })
    const removed = removedBy(steps)
    const kept = live.files.filter((path) => !steps.some(({ id }) => id === removeFile(path).id))
    await carryOut(steps, receipt, operation, 'continue')
    await removeReceipt(operation.folders.state, deployment)
    await removePath(knownHostsFile(operation.folders.state, deployment))
    await forgetOrphans(operation.folders)
    return { steps, remembered: live.switch === null ? await readRemembered(receipt) : [], kept, removed }
  })
}

async function readApplied(deployment: string, { folders }: Pick<Operation, 'folders'>): Promise<Applied> {
  const receipt = await readSettledReceipt(folders, deployment)
  if (receipt === null) {
    throw await unknownDeployment(deployment, folders.state)
  }
  return { receipt, live: await readLive(receipt.artifacts, knownArtifacts(receipt), receipt.reserved) }
}

/** The same, with the disks of machines that the deployment had once. */
async function readWithDisks(deployment: string, operation: Pick<Operation, 'folders'>): Promise<Applied> {
  const { receipt, live } = await readApplied(deployment, operation)
  const stored = await readStored(operation.folders.state, portPrefix(deployment))
  return { receipt, live: { ...live, files: [...new Set([...live.files, ...stored])].sort() } }
}

/** Of a deployment that was destroyed before; null when it is there, or left nothing. */
async function removeLeftDisks(deployment: string, { folders }: Operation): Promise<TakenDown | null> {
  if ((await readSettledReceipt(folders, deployment)) !== null) return null
  const steps = (await readStored(folders.state, portPrefix(deployment))).map(removeFile)
  for (const { action } of steps) if (action.do === 'remove-file') await removeMachineFile(action.path)
  return steps.length === 0 ? null : { steps, remembered: [], kept: [], removed: removedBy(steps) }
}

/** Seeds, which hold nothing of a guest's, go without a word. */
function removedBy(steps: readonly Step[]): string[] {
  return steps.flatMap(({ action }) =>
    action.do === 'remove-file' && !isSeed(action.path) ? [action.path] : [],
  )
}

/** The state file is the switch's; whether it is there is all we may ask. */
async function readRemembered({ artifacts, plan }: Receipt): Promise<string[]> {
  return (await exists(plan.switch.stateFile)) ? artifacts.ports.map(({ name }) => name) : []
}

function allNames({ artifacts }: Receipt): string[] {
  return artifacts.machines.map(({ name }) => name)
}
