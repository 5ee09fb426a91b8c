import { basename, dirname, join } from 'node:path'
import { machineOwner } from '../core/spec/names.js'
import { readStore } from '../drivers/host/machine-files.js'
import { listFolder } from '../world/files.js'
import { knownArtifacts, type Receipt } from './receipt.js'

/** What guests wrote whose machines are gone. */
export interface KeptDisks {
  /** "pair.vm1": the machine that had them, and the next of that name that gets them. */
  owner: string
  files: string[]
}

/** The files of all machines that a deployment has or had; `prefix` is its `portPrefix`, '' for all there are. */
export async function readStored(stateFolder: string, prefix: string): Promise<string[]> {
  const names = await listFolder(join(stateFolder, 'disks'))
  const own = names.filter((name) => name.startsWith(prefix))
  return (await Promise.all(own.map((name) => readStore(join(stateFolder, 'disks', name))))).flat()
}

/** Files in folders of no machine that was applied. */
export async function readKeptDisks(stateFolder: string, receipts: Receipt[]): Promise<KeptDisks[]> {
  const used = new Set(
    receipts.flatMap((receipt) =>
      knownArtifacts(receipt).machines.map(({ name }) => machineOwner(receipt.deployment, name)),
    ),
  )
  const files = await readStored(stateFolder, '')
  const owners = [...new Set(files.map((path) => basename(dirname(path))))].filter((name) => !used.has(name))
  return owners.map((owner) => ({
    owner,
    files: files.filter((path) => basename(dirname(path)) === owner),
  }))
}
