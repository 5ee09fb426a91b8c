import { requirePlan } from '../apply/prepare.js'
import type { Facts } from '../core/facts/facts.js'
import type { Plan } from '../core/plan/plan.js'
import { bootPaths, imagePaths } from '../core/spec/image-paths.js'
import type { Spec } from '../core/spec/spec.js'
import { readFacts } from '../host/facts.js'
import type { CommandInput } from './command.js'
import type { Places } from './places.js'
import { readSpecInput } from './read-input.js'

/** What a spec becomes on this host. */
export async function readPlan(input: CommandInput, places: Places): Promise<Plan> {
  const { spec, planOptions } = await readSpecInput(input, places)
  return requirePlan(spec, await readFactsFor(spec, places), places.folders, planOptions)
}

/** This host, with the files that a spec names. */
export function readFactsFor(spec: Spec, { builtSwitch, folders }: Places): Promise<Facts> {
  return readFacts(builtSwitch, imagePaths(spec, folders.state), bootPaths(spec))
}
