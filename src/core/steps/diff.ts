import { errorTable } from '../errors.js'
import type { Artifacts } from '../render/artifacts.js'
import type { Problem } from '../spec/problem.js'
import { changedMachines, type DiffOptions, findChanges } from './find-changes.js'
import { listSteps } from './list-steps.js'
import { domainLosses, sameArgv } from './same.js'
import type { Live, Step } from './steps.js'

/**
 * The steps from what exists to what is wanted; none when they are the same.
 * What runs with another command line keeps running, and its ports with it,
 * unless `restart` is given: `notices` says which.
 */
export function diff(wanted: Artifacts, live: Live, options: DiffOptions = {}): Step[] {
  return listSteps(findChanges(wanted, live, options), wanted, live)
}

/** What `diff` leaves as it is because only a restart would change it. */
export function notices(wanted: Artifacts, live: Live): Problem[] {
  const machines = changedMachines(wanted, live).map(({ name, argv, domain }) => {
    const running = live.machines.find((machine) => machine.name === name)
    const xml = running?.domain?.xml ?? null
    if (domain === undefined || xml === null)
      return notice('machine-changed', `machine ${name}`, argv, running?.argv ?? null)
    const found = domainLosses(domain, xml).join('; ')
    return { ...notice('machine-changed', `machine ${name}`, [], null), expected: 'its definition', found }
  })
  const switchArgv = live.switch?.argv ?? null
  if (sameArgv(wanted.switch.argv, switchArgv)) return machines
  return [notice('switch-changed', 'switch', wanted.switch.argv, switchArgv), ...machines]
}

function notice(
  code: 'machine-changed' | 'switch-changed',
  path: string,
  wanted: string[],
  running: string[] | null,
): Problem {
  const only = (words: string[], others: string[]) => words.filter((word) => !others.includes(word)).join(' ')
  return {
    code,
    file: '',
    line: 0,
    column: 0,
    path,
    expected: only(wanted, running ?? []) || 'nothing more',
    found: only(running ?? [], wanted) || 'nothing more',
    hint: errorTable[code].hint,
  }
}
