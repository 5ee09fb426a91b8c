import {
  diff,
  exitCodeOf,
  makePlan,
  parseSpec,
  renderAll,
  showPlan,
  showProblems,
  showSteps,
} from '../../src/index.js'
import { emptyLive } from '../live.js'
import type { GoldenCase } from './read-cases.js'

/** The files a case must have: the whole path of the spec, or the refusal where it ends. */
export function renderCase({
  specName,
  specText,
  facts,
  folders,
  defaultBoot,
}: GoldenCase): Map<string, string> {
  const parsed = parseSpec(specText, specName)
  if ('problems' in parsed) return refusal(parsed.problems)
  const planned = makePlan(parsed.ok, facts, folders, { defaultBoot, fileName: specName })
  if ('problems' in planned) return refusal(planned.problems)
  const artifacts = renderAll(planned.ok)
  const steps = diff(artifacts, emptyLive(facts))
  return new Map([
    ['plan.json', toJson(planned.ok)],
    ['plan.txt', showPlan(planned.ok)],
    ['artifacts.json', toJson(artifacts)],
    ['steps.json', toJson(steps, nameMachines)],
    ['steps.txt', showSteps(steps)],
    ...artifacts.machines.flatMap(({ name, domain }): [string, string][] =>
      domain === undefined ? [] : [[`domain-${name}.xml`, domain.xml]],
    ),
  ])
}

function refusal(problems: Parameters<typeof showProblems>[0]): Map<string, string> {
  return new Map([['refusal.txt', `exit ${exitCodeOf(problems)}\n${showProblems(problems)}`]])
}

function toJson(value: unknown, replace?: (key: string, value: unknown) => unknown): string {
  return `${JSON.stringify(value, replace, 1)}\n`
}

/** Steps carry whole machines, which artifacts.json shows already: their names read better. */
function nameMachines(key: string, value: unknown): unknown {
  return key === 'machine' ? (value as { name: string }).name : value
}
