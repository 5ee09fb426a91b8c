import { refuseKind } from '../accelerate/refuse-kind.js'
import { VhostkitError } from '../errors.js'
import { find, textOf, type XmlElement } from '../xml/xml.js'

/** Why nothing of a definition could be a machine of ours. */
export function refuseTakeOver(domain: XmlElement): VhostkitError[] {
  const refusals = refuseKind(domain)
  if (refusals.length === 0) return []
  const name = textOf(find(domain, 'name')) || 'The definition'
  return [
    new VhostkitError('domain-refused', {
      sentence: `${name} cannot be taken over. ${refusals.join(' ')}`,
      hint: 'Write a spec by hand: docs/spec.md.',
    }),
  ]
}
