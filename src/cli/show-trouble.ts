import type { InterfaceStatus } from '../apply/interface-status.js'
import type { DeploymentStatus } from '../apply/status.js'

/** More of them nobody reads; the tables above have all. */
const most = 10

/** What is not as it was applied, for the last lines of `status`: of 40 machines one looks for this one. */
export function showTrouble(deployments: readonly DeploymentStatus[]): string[] {
  const trouble = deployments.flatMap(findTrouble)
  if (trouble.length === 0) return []
  const left = trouble.length - most
  const lines = trouble.slice(0, most).map((line) => `  ${line}`)
  return [['Not as applied:', ...lines, ...(left > 0 ? [`  … and ${left} more`] : [])].join('\n')]
}

function findTrouble({ deployment, status, machines, interfaces }: DeploymentStatus): string[] {
  if (status === 'stopped') return []
  return machines.flatMap(({ name, running, state }) => {
    if (!running && state === 'off') return [`${name}: off; \`vhostkit start ${deployment} ${name}\``]
    if (state !== 'running') return [`${name}: ${state}; \`vhostkit console ${name}\` shows what it says`]
    return interfaces.filter((card) => card.machine === name && card.state !== 'up').map(showCard)
  })
}

const whatNext = {
  missing: 'the switch has no such port: apply again',
  waiting: 'its QEMU does not listen; `vhostkit doctor` says why',
  connected: 'its guest has not set the card up yet',
  broken: '`vhostkit doctor` says why',
  up: '',
}

function showCard({ machine, index, state, last_error }: InterfaceStatus): string {
  const why = last_error === null ? '' : ` (${last_error})`
  return `${machine} net${index}: ${state}${why}; ${whatNext[state]}`
}
