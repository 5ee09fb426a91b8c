import type { InterfaceStatus } from '../apply/interface-status.js'
import type { DeploymentStatus } from '../apply/status.js'
import type { SwitchDifference } from '../core/steps/switch-difference.js'

/** More kinds of trouble nobody reads; the tables above have all. */
const most = 10

/** Something of a deployment that is not as it was applied. */
interface Trouble {
  who: string
  what: string
  /** The word for what is to be done, for all that are in the same trouble. */
  next(who: string[]): string
  /** The lower, the worse. */
  rank: number
}

/**
 * What is not as it was applied, for the last lines of `status`: of 40 machines one looks for this one. The worst
 * comes first, and those that are in the same trouble are told together. Without a switch its ports are no trouble of
 * their own.
 */
export function showTrouble(
  deployments: readonly DeploymentStatus[],
  switchAnswers: boolean,
  switchDiffers: SwitchDifference | null = null,
): string[] {
  // Also right for one that hangs, and one whose socket was removed; a start is not.
  const away = {
    who: 'the switch',
    what: 'does not answer',
    next: () => '`vhostkit switch restart`',
    rank: 0,
  }
  const groups = deployments.flatMap((one) => groupAlike(findTrouble(one, switchAnswers)))
  if (!switchAnswers && deployments.some(({ status }) => status === 'applied')) groups.unshift([away])
  if (switchDiffers !== null) {
    const what = `runs with ${switchDiffers.found}, applied was ${switchDiffers.expected}`
    groups.push([
      { who: 'the switch', what, next: () => '`vhostkit switch restart`, which machines outlast', rank: 1 },
    ])
  }
  if (groups.length === 0) return []
  const left = groups.length - most
  const lines = groups
    .sort(([a], [b]) => a.rank - b.rank)
    .slice(0, most)
    .map((group) => `  ${showGroup(group)}`)
  return [['Not as applied:', ...lines, ...(left > 0 ? [`  … and ${left} more`] : [])].join('\n')]
}

type Group = [Trouble, ...Trouble[]]

function groupAlike(all: Trouble[]): Group[] {
  const groups = new Map<string, Group>()
  for (const trouble of all) {
    const group = groups.get(trouble.what)
    if (group === undefined) groups.set(trouble.what, [trouble])
    else group.push(trouble)
  }
  return [...groups.values()]
}

function showGroup(group: Group): string {
  const [{ what, next }] = group
  const who = group.map((trouble) => trouble.who)
  const named = who.length <= 4 ? who.join(', ') : `${who.slice(0, 3).join(', ')} and ${who.length - 3} more`
  return `${named}: ${what}; ${next(who)}`
}

function findTrouble(
  { deployment, status, machines, interfaces }: DeploymentStatus,
  switchAnswers: boolean,
): Trouble[] {
  if (status === 'stopped') return []
  return machines.flatMap(({ name, running, state }): Trouble[] => {
    if (!running && state === 'off') {
      const start = `vhostkit start ${deployment}`
      // It takes one name, or starts all that are off.
      const next = (who: string[]) => `\`${who.length === 1 ? `${start} ${name}` : start}\``
      return [{ who: name, what: 'off', next, rank: 0 }]
    }
    if (state !== 'running') {
      const next = ([first]: string[]) => `\`vhostkit console ${first}\` shows what it says`
      return [{ who: name, what: state, next, rank: 1 }]
    }
    if (!switchAnswers) return []
    return interfaces.filter((card) => card.machine === name && card.state !== 'up').map(cardTrouble)
  })
}

const whatNext = {
  broken: '`vhostkit doctor` says why',
  missing: 'the switch has no such port: apply again',
  waiting: '`vhostkit doctor` says why',
  connected: 'its guest has not set the card up yet',
  up: '',
}

function cardTrouble({ machine, index, state, last_error }: InterfaceStatus): Trouble {
  const rank = 2 + Object.keys(whatNext).indexOf(state)
  const why = last_error === null ? '' : ` (${last_error})`
  return { who: `${machine} net${index}`, what: `${state}${why}`, next: () => whatNext[state], rank }
}
