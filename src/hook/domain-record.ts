import { join } from 'node:path'
import type { JournalRecord } from '../apply/journal.js'
import { isOfAnotherBoot, settle } from '../apply/settle.js'
import { VhostkitError } from '../core/errors.js'
import type { Action } from '../core/steps/steps.js'
import { readPool } from '../drivers/host/hugepages.js'
import { readBootId } from '../world/boot-id.js'
import { listFolder, makeFolder, readText, removeFile, writeTextAtomic } from '../world/files.js'

/** What was taken for a domain that starts or runs; `stopped`: it ended, and whichever hook comes next gives it back. */
export interface DomainRecord extends JournalRecord {
  version: 1
  uuid: string
  name: string
  /** Pages that its QEMU is about to map: free in the kernel's count, but promised. Empty once it runs. */
  promised: { node: number; pageBytes: number; pages: number }[]
  /** What gives back all that was taken but pages, which `reserved` counts; the last taken first. */
  giveBack: Action[]
  /** Ports that the switch would not give up when a domain ended: it was off or did not answer. */
  owed: string[]
}

export function newRecord(uuid: string, name: string, boot: string): DomainRecord {
  return {
    version: 1,
    uuid,
    name,
    status: 'changing',
    operation: 'prepare',
    time: '',
    boot,
    reserved: [],
    journal: [],
    promised: [],
    giveBack: [],
    owed: [],
  }
}

/** Every record as it was written. */
export async function readRecords(stateFolder: string): Promise<DomainRecord[]> {
  const files = (await listFolder(recordFolder(stateFolder))).filter((name) => name.endsWith('.json'))
  const records = await Promise.all(files.map((file) => readRecord(stateFolder, file.slice(0, -5))))
  return records.filter((record) => record !== null)
}

/**
 * Every record, with the pages that were really taken. To be called under the lock and before
 * a pool is changed: an entry that is only intended then is of a hook that was killed.
 */
export async function settleRecords(stateFolder: string): Promise<DomainRecord[]> {
  const boot = await readBootId()
  const settled: DomainRecord[] = []
  for (const record of await readRecords(stateFolder)) {
    const readTotal = async (node: number, pageBytes: number) => (await readPool(node, pageBytes)).total
    const known = await settle(record, readTotal, boot)
    const now = isOfAnotherBoot(record, boot) ? { ...known, promised: [] } : known
    if (JSON.stringify(now) !== JSON.stringify(record)) await writeRecord(stateFolder, now)
    settled.push(now)
  }
  return settled
}

export async function readRecord(stateFolder: string, uuid: string): Promise<DomainRecord | null> {
  const path = recordPath(stateFolder, uuid)
  const text = await readText(path)
  if (text === null) return null
  let value: Partial<DomainRecord> | null = null
  try {
    value = JSON.parse(text) as Partial<DomainRecord> | null
  } catch {
    value = null
  }
  if (value?.version !== 1 || !Array.isArray(value.journal) || !Array.isArray(value.giveBack)) {
    throw new VhostkitError('state-damaged', { sentence: `The record ${path} is damaged.` })
  }
  return { ...value, owed: value.owed ?? [] } as DomainRecord
}

export async function writeRecord(stateFolder: string, record: DomainRecord): Promise<void> {
  await makeFolder(recordFolder(stateFolder), 0o700)
  await writeTextAtomic(recordPath(stateFolder, record.uuid), `${JSON.stringify(record)}\n`)
}

export async function removeRecord(stateFolder: string, uuid: string): Promise<void> {
  await removeFile(recordPath(stateFolder, uuid))
}

function recordFolder(stateFolder: string): string {
  return join(stateFolder, 'domains')
}

/** A UUID has been checked to be one: it cannot lead elsewhere. */
function recordPath(stateFolder: string, uuid: string): string {
  return join(recordFolder(stateFolder), `${uuid}.json`)
}
