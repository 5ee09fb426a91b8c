import { VhostkitError } from '../core/errors.js'
import type { MachineArtifact } from '../core/render/artifacts.js'
import { readReceipts } from './receipt.js'

export interface FoundMachine {
  deployment: string
  machine: MachineArtifact
}

/** The machine of a word: its name, or "deployment/name" where several deployments have one of that name. */
export async function findMachine(stateFolder: string, word: string): Promise<FoundMachine> {
  const all = (await readReceipts(stateFolder)).flatMap(({ deployment, artifacts }) =>
    artifacts.machines.map((machine) => ({ deployment, machine })),
  )
  const called = ({ deployment, machine }: FoundMachine) => `${deployment}/${machine.name}`
  const found = all.filter((one) => one.machine.name === word || called(one) === word)
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  if (found.length > 1) {
    throw new VhostkitError('usage', {
      sentence: `Several machines are called ${word}.`,
      hint: `Name one of ${found.map(called).join(', ')}.`,
    })
  }
  throw new VhostkitError('not-found', {
    sentence: `No machine ${JSON.stringify(word)} was applied here.`,
    hint: all.length === 0 ? 'Begin with `vhostkit apply SPEC`.' : `There are ${all.map(called).join(', ')}.`,
  })
}
