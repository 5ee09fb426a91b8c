import { VhostkitError } from '../core/errors.js'
import type { Plan } from '../core/plan/plan.js'

/**
 * A deployment stays with who runs its machines: planned for another libvirt, or without one, its
 * domains would be left where they are, and machines of the same names started beside them.
 */
export function refuseMove(applied: Plan | undefined, planned: Plan): void {
  if (applied === undefined) return
  const [before, now] = [applied, planned].map(showHome)
  if (before === now) return
  throw new VhostkitError('deployment-elsewhere', {
    sentence: `Deployment ${planned.deployment} was applied with ${before}, and is now to be with ${now}.`,
    hint: `Say ${before} again, or \`vhostkit destroy ${planned.deployment}\` first.`,
  })
}

function showHome({ driver, libvirt }: Plan): string {
  return libvirt === undefined ? `driver ${driver}` : `libvirt at ${libvirt.connect}`
}
