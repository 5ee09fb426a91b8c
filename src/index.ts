/**
 * vhostkit as a library: the pure path from a spec to the steps that carry it
 * out. Nothing here touches the host.
 *
 *     const parsed = parseSpec(text, 'pair.yaml')
 *     const planned = 'ok' in parsed ? makePlan(parsed.ok, facts, folders) : parsed
 *     const steps = 'ok' in planned ? diff(renderAll(planned.ok), live) : []
 */
export { type ErrorCode, type ErrorRow, type ExitCode, errorTable, VhostkitError } from './core/errors.js'
export type { Facts, HugepagePool, KvmFact, NumaNode } from './core/facts/facts.js'
export type { Kept } from './core/plan/keep-running.js'
export { makePlan, type PlanOptions } from './core/plan/make-plan.js'
export type * from './core/plan/plan.js'
export type * from './core/render/artifacts.js'
export { renderAll } from './core/render/render-all.js'
export { showPlan } from './core/render/show-plan.js'
export { parseSpec } from './core/spec/parse-spec.js'
export { exitCodeOf, type Problem } from './core/spec/problem.js'
export { showProblems } from './core/spec/show-problems.js'
export type * from './core/spec/spec.js'
export { diff, notices } from './core/steps/diff.js'
export type { DiffOptions } from './core/steps/find-changes.js'
export { showSteps } from './core/steps/show-steps.js'
export {
  type DestroyOptions,
  stepsToDestroy,
  stepsToStart,
  stepsToStop,
} from './core/steps/start-stop-destroy.js'
export type * from './core/steps/steps.js'
