import { VhostkitError } from '../core/errors.js'
import { stepsToDestroy, stepsToStart, stepsToStop } from '../core/steps/start-stop-destroy.js'
import type { Live, Step } from '../core/steps/steps.js'
import { readLive } from '../drivers/live.js'
import { exists } from '../world/files.js'
import { carryOut, type Operation, withLock } from './operation.js'
import { forgetOrphans } from './orphan-ports.js'
import { readSettledReceipt } from './prepare.js'
import { knownArtifacts, type Receipt, removeReceipt } from './receipt.js'

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
    await (await carryOut(steps, receipt, operation, 'undo')).end('applied')
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
  operation: Pick<Operation, 'folders'>,
): Promise<Step[]> {
  const { receipt, live } = await readApplied(deployment, operation)
  return stepsToDestroy(receipt.artifacts, live, { applied: knownArtifacts(receipt) })
}

export interface TakenDown {
  steps: Step[]
  /** The switch was off, so its state file keeps these ports until it runs again. */
  remembered: string[]
}

/** Takes a deployment down, whatever of it exists, also after a crash in the middle of an operation. */
export async function destroy(deployment: string, operation: Operation): Promise<TakenDown> {
  return withLock(operation, async () => {
    const { receipt, live } = await readApplied(deployment, operation)
    const steps = stepsToDestroy(receipt.artifacts, live, { applied: knownArtifacts(receipt) })
    await carryOut(steps, receipt, operation, 'continue')
    await removeReceipt(operation.folders.state, deployment)
    await forgetOrphans(operation.folders)
    return { steps, remembered: live.switch === null ? await readRemembered(receipt) : [] }
  })
}

async function readApplied(deployment: string, { folders }: Pick<Operation, 'folders'>): Promise<Applied> {
  const receipt = await readSettledReceipt(folders, deployment)
  if (receipt === null) {
    throw new VhostkitError('not-found', { sentence: `No deployment ${deployment} was applied here.` })
  }
  return { receipt, live: await readLive(receipt.artifacts, knownArtifacts(receipt), receipt.reserved) }
}

/** The state file is the switch's; whether it is there is all we may ask. */
async function readRemembered({ artifacts, plan }: Receipt): Promise<string[]> {
  return (await exists(plan.switch.stateFile)) ? artifacts.ports.map(({ name }) => name) : []
}

function allNames({ artifacts }: Receipt): string[] {
  return artifacts.machines.map(({ name }) => name)
}
