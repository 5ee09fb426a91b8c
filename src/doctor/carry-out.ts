import { chmod, chown, lstat } from 'node:fs/promises'
import type { Finding } from '../core/doctor/finding.js'
import { mendDomain } from '../core/doctor/mend-domain.js'
import { type Repair, showRepair } from '../core/doctor/repair.js'
import { VhostkitError } from '../core/errors.js'
import { defineDomain } from '../drivers/libvirt/define-domain.js'
import { findDomain } from '../drivers/libvirt/find-domain.js'

export interface Repaired {
  code: Finding['code']
  subject: string
  /** What was done, as it was shown before. */
  repair: string
  outcome: 'mended' | 'undone'
  /** Why it was undone; empty when it was mended. */
  why: string
}

/** Findings that ask for one and the same repair are one. */
export function repairsOf(findings: readonly Finding[]): { finding: Finding; repair: Repair }[] {
  const shown = new Set<string>()
  return findings.flatMap((finding) => {
    const { repair } = finding
    if (repair === null || shown.has(showRepair(repair))) return []
    shown.add(showRepair(repair))
    return [{ finding, repair }]
  })
}

/** Does a repair, looks again, and undoes it when what it was for is still there. */
export async function carryOut(
  { finding, repair }: { finding: Finding; repair: Repair },
  connect: string,
  examine: () => Promise<Finding[]>,
): Promise<Repaired> {
  const known = { code: finding.code, subject: finding.subject, repair: showRepair(repair) }
  let undo: () => Promise<void> = async () => undefined
  try {
    undo = await begin(repair, connect)
    const still = (await examine()).find(
      ({ code, subject }) => code === finding.code && subject === finding.subject,
    )
    if (still === undefined) return { ...known, outcome: 'mended', why: '' }
    await undo()
    return { ...known, outcome: 'undone', why: `it did not help: ${still.what}` }
  } catch (error) {
    await undo()
    return { ...known, outcome: 'undone', why: error instanceof Error ? error.message : String(error) }
  }
}

/** Carries it out, and gives what would take it back. */
async function begin(repair: Repair, connect: string): Promise<() => Promise<void>> {
  if (repair.do !== 'edit-domain') return setRights(repair)
  const { name, uuid, xml } = await findDomain(connect, repair.uuid)
  const define = (text: string) => defineDomain({ connect, name, uuid, xml: text, uid: null })
  await define(mendDomain(xml, repair.edit))
  return () => define(xml)
}

/** Never through a link: only the folder itself was looked at. */
async function setRights(repair: Exclude<Repair, { do: 'edit-domain' }>): Promise<() => Promise<void>> {
  const { path, mode } = repair
  const before = await lstat(path)
  if (!before.isDirectory()) throw new VhostkitError('not-permitted', { sentence: `${path} is no folder.` })
  if (repair.do === 'set-owner') await chown(path, repair.uid, before.gid)
  if (repair.do === 'set-group') await chown(path, before.uid, repair.gid)
  await chmod(path, mode)
  return async () => {
    await chown(path, before.uid, before.gid)
    await chmod(path, before.mode & 0o7777)
  }
}
