import { VhostkitError } from '../core/errors.js'
import type { Facts } from '../core/facts/facts.js'
import type { PlanOptions } from '../core/plan/make-plan.js'
import type { Spec } from '../core/spec/spec.js'
import { readBootId } from '../world/boot-id.js'
import { isLeft } from './apply.js'
import { carryOut, type Operation, withLock } from './operation.js'
import { forgetOrphans } from './orphan-ports.js'
import { type Prepared, prepare, type SpecText } from './prepare.js'
import { knownArtifacts, type Receipt, removeReceipt, writeReceipt } from './receipt.js'

export interface DeployInput {
  specText: SpecText
  spec: Spec
  planOptions: PlanOptions
  /** Restart what runs with another command line than planned. */
  restart: boolean
  /** Read under the lock: another CLI may have changed the host while we waited. */
  readFacts(): Promise<Facts>
  /** Called with the plan before anything is touched. */
  planned(prepared: Prepared): void
}

export interface Deployed extends Prepared {
  /** Ports without a deployment; the switch does not have them any more either. */
  forgotten: string[]
}

/** Brings the host to what the spec says; nothing is done when it is so already. */
export async function deploy(input: DeployInput, operation: Operation): Promise<Deployed> {
  return withLock(operation, async () => {
    const prepared = await deployAsRoomAllows(input, operation)
    return { ...prepared, forgotten: await forgetOrphans(operation.folders) }
  })
}

async function deployAsRoomAllows(input: DeployInput, operation: Operation): Promise<Prepared> {
  const facts = await input.readFacts()
  try {
    return await deployOnce(input, facts, operation)
  } catch (error) {
    // Free memory may be too scattered for hugepages, which only trying can tell.
    const short = error instanceof VhostkitError && error.code === 'hugepages-short'
    if (!short || !facts.canReserveHugepages) throw error
    return deployOnce(input, { ...facts, canReserveHugepages: false }, operation)
  }
}

async function deployOnce(input: DeployInput, facts: Facts, operation: Operation): Promise<Prepared> {
  const { folders } = operation
  const prepared = await prepare(input.spec, facts, folders, input.planOptions, input.restart)
  input.planned(prepared)
  const { receipt: before, steps } = prepared
  const receipt = makeReceipt(input.specText, prepared, await readBootId())
  if (steps.length === 0) {
    await writeReceipt(folders.state, {
      ...receipt,
      before: null,
      operation: operation.commandLine,
      status: 'applied',
    })
    return prepared
  }
  try {
    const journal = await carryOut(steps, receipt, operation, 'undo')
    await journal.end('applied')
    return prepared
  } catch (error) {
    await keepOldReceipt(before, receipt, folders.state)
    throw error
  }
}

function makeReceipt(
  { path, text }: SpecText,
  { receipt, plan, artifacts }: Prepared,
  boot: string,
): Receipt {
  return {
    version: 1,
    deployment: plan.deployment,
    status: 'changing',
    operation: '',
    time: new Date().toISOString(),
    spec: { path, text },
    plan,
    artifacts,
    before: receipt === null ? null : knownArtifacts(receipt),
    boot,
    reserved: receipt?.reserved ?? [],
    journal: [],
  }
}

/** To be called after an undo: the old state is true again; a first deployment that failed leaves nothing, unless an undo failed. */
export async function keepOldReceipt(
  before: Receipt | null,
  failed: Receipt,
  stateFolder: string,
): Promise<void> {
  if (failed.journal.some(isLeft)) return
  if (before !== null) await writeReceipt(stateFolder, { ...before, reserved: failed.reserved })
  else if (failed.reserved.length === 0) await removeReceipt(stateFolder, failed.deployment)
}
