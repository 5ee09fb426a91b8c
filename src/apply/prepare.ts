import { errorTable, VhostkitError } from '../core/errors.js'
import type { Facts } from '../core/facts/facts.js'
import { makePlan, type PlanOptions } from '../core/plan/make-plan.js'
import type { Folders, Plan, SwitchPlan } from '../core/plan/plan.js'
import type { Artifacts } from '../core/render/artifacts.js'
import { renderAll } from '../core/render/render-all.js'
import { parseSpec } from '../core/spec/parse-spec.js'
import { exitCodeOf, type Problem } from '../core/spec/problem.js'
import type { Spec } from '../core/spec/spec.js'
import { diff, notices } from '../core/steps/diff.js'
import type { Live, Step } from '../core/steps/steps.js'
import { readPool } from '../drivers/host/hugepages.js'
import { readLive } from '../drivers/live.js'
import { readMachine } from '../drivers/machines.js'
import { readBootId } from '../world/boot-id.js'
import { readFileKind } from '../world/file-kind.js'
import { readText } from '../world/files.js'
import { knownArtifacts, latestReceipt, type Receipt, readReceipt, readReceipts } from './receipt.js'
import { refuseMove } from './refuse-move.js'
import { settle } from './settle.js'

/** Everything that was wrong with a spec, or with this host for it. */
export class ProblemsFound extends VhostkitError {
  readonly problems: Problem[]
  constructor(problems: Problem[]) {
    const exitCode = exitCodeOf(problems)
    const first = problems.find(({ code }) => errorTable[code].exitCode === exitCode)
    const count = problems.length === 1 ? 'One problem' : `${problems.length} problems`
    super(exitCode === 3 ? 'spec-refused' : (first?.code ?? 'internal'), { sentence: `${count} found.` })
    this.problems = problems
  }
}

export interface SpecText {
  path: string
  text: string
}

/** The text of a spec: of a file, or what a shell pipes in (`<(…)`, /dev/stdin). */
export async function readSpec(path: string): Promise<SpecText> {
  const kind = await readFileKind(path)
  if (kind === 'folder') throw unreadable(path, 'it is a folder')
  if (kind === 'other') throw unreadable(path, 'it is a device, a socket or a named pipe, and no file')
  const text = await readText(path).catch((cause: Error) => {
    throw unreadable(path, cause.message, cause)
  })
  if (text === null) throw new VhostkitError('spec-unreadable', { sentence: `There is no file ${path}.` })
  return { path, text }
}

function unreadable(path: string, why: string, cause?: Error): VhostkitError {
  return new VhostkitError('spec-unreadable', { sentence: `${path} cannot be read: ${why}.`, cause })
}

export function requireSpec({ path, text }: SpecText): Spec {
  const parsed = parseSpec(text, path)
  if ('problems' in parsed) throw new ProblemsFound(parsed.problems)
  return parsed.ok
}

export function requirePlan(spec: Spec, facts: Facts, folders: Folders, options: PlanOptions): Plan {
  const planned = makePlan(spec, facts, folders, options)
  if ('problems' in planned) throw new ProblemsFound(planned.problems)
  return planned.ok
}

/** A deployment on its whole way from the spec to the steps that are left to do. */
export interface Prepared {
  receipt: Receipt | null
  plan: Plan
  artifacts: Artifacts
  live: Live
  steps: Step[]
  /** What stays as it is because only a restart would change it. */
  notices: Problem[]
}

/** Plans a spec beside what runs of it already, and compares with the host. */
export async function prepare(
  spec: Spec,
  facts: Facts,
  folders: Folders,
  options: PlanOptions,
  restart = false,
): Promise<Prepared> {
  const receipt = await readSettledReceipt(folders, spec.name)
  const running = receipt === null ? [] : await readRunning(knownArtifacts(receipt))
  const keep = receipt === null ? undefined : { plan: receipt.plan, running }
  const sharedCores = await readSharedCores(spec.name, folders)
  const plan = requirePlan(spec, facts, folders, { ...options, keep, sharedCores })
  refuseMove(receipt?.plan, plan)
  const artifacts = renderAll(plan)
  const applied = receipt === null ? null : knownArtifacts(receipt)
  const live = await readLive(artifacts, applied, receipt?.reserved ?? [])
  const steps = diff(artifacts, live, { restart, applied })
  return { receipt, plan, artifacts, live, steps, notices: restart ? [] : notices(artifacts, live) }
}

/** The receipt as it is true now, also after a crash in the middle of an operation. */
export async function readSettledReceipt(folders: Folders, deployment: string): Promise<Receipt | null> {
  const receipt = await readReceipt(folders.state, deployment)
  if (receipt === null) return null
  return settle(
    receipt,
    async (node, pageBytes) => (await readPool(node, pageBytes)).total,
    await readBootId(),
  )
}

async function readSharedCores(deployment: string, { state, run }: Folders): Promise<SwitchPlan | undefined> {
  const others = (await readReceipts(state)).filter(
    (receipt) => receipt.deployment !== deployment && receipt.status === 'applied',
  )
  return latestReceipt(others, run)?.plan.switch
}

async function readRunning(artifacts: Artifacts): Promise<string[]> {
  const machines = await Promise.all(artifacts.machines.map(readMachine))
  return machines.filter(({ running }) => running).map(({ name }) => name)
}
