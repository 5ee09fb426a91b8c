import { VhostkitError } from '../core/errors.js'
import { nearestWord } from '../core/spec/nearest-word.js'
import { readReceipts } from './receipt.js'

/** The error for a deployment that was not applied here, with those that were. */
export async function unknownDeployment(deployment: string, stateFolder: string): Promise<VhostkitError> {
  const names = (await readReceipts(stateFolder)).map((receipt) => receipt.deployment)
  const meant = nearestWord(deployment, names)
  return new VhostkitError('not-found', {
    sentence: `No deployment ${deployment} was applied here${meant === null ? '.' : `; did you mean ${meant}?`}`,
    hint: names.length === 0 ? 'Begin with `vhostkit apply SPEC`.' : `Applied here: ${names.join(', ')}.`,
  })
}
