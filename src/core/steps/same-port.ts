import type { PortRequest } from '../render/artifacts.js'

/** Whether two ports would be asked for in the same words. */
export function samePort(a: PortRequest, b: PortRequest): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}

/** A port that stays and is to have another policy. */
export interface PolicyChange {
  before: PortRequest
  port: PortRequest
}

/** Whether they differ in nothing but what the switch changes under a running guest: a policy without `link`. */
export function samePortButPolicy(a: PortRequest, b: PortRequest): boolean {
  if (a.kind === 'tap' || b.kind === 'tap') return false
  return (
    (a.policy?.link ?? false) === (b.policy?.link ?? false) &&
    samePort({ ...a, policy: {} }, { ...b, policy: {} })
  )
}

function sorted(port: PortRequest): [string, unknown][] {
  return Object.entries(port).sort(([a], [b]) => (a < b ? -1 : 1))
}
