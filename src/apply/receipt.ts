import { join } from 'node:path'
import { VhostkitError } from '../core/errors.js'
import type { Plan } from '../core/plan/plan.js'
import type { Artifacts } from '../core/render/artifacts.js'
import { namePattern } from '../core/spec/names.js'
import type { Action, Live } from '../core/steps/steps.js'
import {
  listFolder,
  makeFolder,
  readText,
  removeFile,
  removeTornWrites,
  writeTextAtomic,
} from '../world/files.js'

/** What was applied, when, from which spec; kept in the state folder, one file for each deployment. */
export interface Receipt {
  version: 1
  deployment: string
  /** `changing` is what a crash in the middle of an operation leaves behind. */
  status: 'changing' | 'applied' | 'stopped'
  /** The operation that wrote it last, and when (ISO 8601). */
  operation: string
  time: string
  spec: { path: string; text: string }
  plan: Plan
  artifacts: Artifacts
  /** While changing: what was applied before, since some of it may still be there. */
  before: Artifacts | null
  /** The boot in which the pages were taken; receipts of older versions have none. */
  boot?: string
  /** Hugepages that we took and must give back. */
  reserved: Live['reserved']
  /** The steps of the last operation: each is written before it is carried out. */
  journal: JournalEntry[]
}

export interface JournalEntry {
  step: string
  action: Action
  undo: Action | null
  state: 'intended' | 'done' | 'failed' | 'undone'
  /** What an undo after a crash must know, such as the size of a pool before. */
  facts: Record<string, number>
}

export async function readReceipt(stateFolder: string, deployment: string): Promise<Receipt | null> {
  // What cannot be a name cannot lead to a file elsewhere either.
  if (!namePattern.test(deployment)) return null
  const path = receiptPath(stateFolder, deployment)
  const text = await readText(path)
  return text === null ? null : parseReceipt(text, path)
}

export async function readReceipts(stateFolder: string): Promise<Receipt[]> {
  const names = (await listFolder(join(stateFolder, 'deployments'))).filter((name) => name.endsWith('.json'))
  const receipts = await Promise.all(names.map((name) => readReceipt(stateFolder, name.slice(0, -5))))
  return receipts.filter((receipt) => receipt !== null)
}

/** Of the deployments on one run folder, which share its switch, the one that said last how to start it. */
export function latestReceipt(receipts: readonly Receipt[], run: string): Receipt | null {
  const ours = receipts.filter(({ plan }) => plan.folders.run === run)
  return ours.sort((a, b) => b.time.localeCompare(a.time))[0] ?? null
}

export async function writeReceipt(stateFolder: string, receipt: Receipt): Promise<void> {
  await makeFolder(join(stateFolder, 'deployments'), 0o700)
  await writeTextAtomic(receiptPath(stateFolder, receipt.deployment), `${JSON.stringify(receipt, null, 1)}\n`)
}

export async function removeReceipt(stateFolder: string, deployment: string): Promise<void> {
  const path = receiptPath(stateFolder, deployment)
  await removeFile(path)
  await removeTornWrites(path)
}

/** Everything that may exist of a deployment: after a crash, machines of before and of now. */
export function knownArtifacts({ artifacts, before }: Receipt): Artifacts {
  const isGone = ({ name }: { name: string }) => !artifacts.machines.some((machine) => machine.name === name)
  const [dhcp, nat] = [artifacts.dhcp ?? [], artifacts.nat ?? []]
  const goneDhcp = before?.dhcp?.filter(({ folder }) => !dhcp.some((one) => one.folder === folder)) ?? []
  const goneNat = before?.nat?.filter(({ table }) => !nat.some((one) => one.table === table)) ?? []
  return {
    ...artifacts,
    machines: [...artifacts.machines, ...(before?.machines.filter(isGone) ?? [])],
    dhcp: [...dhcp, ...goneDhcp],
    nat: [...nat, ...goneNat],
  }
}

/** A damaged receipt is refused, never guessed: it says what must be given back. */
export function parseReceipt(text: string, path: string): Receipt {
  const value = parseJson(text) as Partial<Receipt> | null
  const complete =
    value?.version === 1 &&
    typeof value.deployment === 'string' &&
    Array.isArray(value.journal) &&
    Array.isArray(value.reserved) &&
    typeof value.plan === 'object' &&
    typeof value.artifacts === 'object'
  if (!complete) {
    throw new VhostkitError('state-damaged', {
      sentence: `The receipt ${path} is damaged.`,
      hint: 'Bring back a copy of it. Without one: move it away and run `vhostkit apply` with its spec, which takes over what runs; pages that were reserved for it stay in the pool.',
    })
  }
  return value as Receipt
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function receiptPath(stateFolder: string, deployment: string): string {
  return join(stateFolder, 'deployments', `${deployment}.json`)
}
