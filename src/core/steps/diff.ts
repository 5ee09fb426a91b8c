import { errorTable } from '../errors.js'
import type { Artifacts } from '../render/artifacts.js'
import type { Problem } from '../spec/problem.js'
import { changedMachines, type DiffOptions, findChanges } from './find-changes.js'
import { listSteps } from './list-steps.js'
import { domainLosses } from './same.js'
import type { Live, Step } from './steps.js'
import { switchDifference } from './switch-difference.js'

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
    const path = `machine ${name}`
    if (domain === undefined || xml === null) {
      return notice(
        'machine-changed',
        path,
        wordsBeyond(argv, running?.argv),
        wordsBeyond(running?.argv, argv),
      )
    }
    return notice('machine-changed', path, 'its definition', domainLosses(domain, xml).join('; '))
  })
  const otherSwitch = switchDifference(wanted.switch.argv, live.switch?.argv ?? null)
  if (otherSwitch === null) return machines
  return [notice('switch-changed', 'switch', otherSwitch.expected, otherSwitch.found), ...machines]
}

/** What one command line has and another has not. */
function wordsBeyond(words: string[] | null | undefined, others: string[] | null | undefined): string {
  return words?.filter((word) => !others?.includes(word)).join(' ') || 'nothing more'
}

function notice(
  code: 'machine-changed' | 'switch-changed',
  path: string,
  expected: string,
  found: string,
): Problem {
  return { code, file: '', line: 0, column: 0, path, expected, found, hint: errorTable[code].hint }
}
