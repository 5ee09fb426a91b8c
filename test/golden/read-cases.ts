import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Facts, ImageFact } from '../../src/core/facts/facts.js'
import type { Folders } from '../../src/core/plan/plan.js'
import type { BootSpec } from '../../src/core/spec/spec.js'

/** A folder below `cases`: the spec, on which host, and where things go there. */
export interface GoldenCase {
  name: string
  folder: string
  specName: string
  specText: string
  facts: Facts
  folders: Folders
  defaultBoot: BootSpec | undefined
}

/** case.json; what it leaves out is as below. */
interface CaseFile {
  /** Name of a file in test/hosts. */
  host: string
  run?: string
  /** Images of the host beside those in the file. */
  images?: ImageFact[]
  /** false: the spec must say what is booted. */
  boot?: boolean
}

export const casesFolder = 'test/golden/cases'

const guest: BootSpec = {
  kernel: '/srv/guest/vmlinuz',
  initrd: '/srv/guest/initrd',
  cmdline: 'console=ttyS0 quiet',
}

export function readCases(): GoldenCase[] {
  return readdirSync(casesFolder).sort().map(readCase)
}

function readCase(name: string): GoldenCase {
  const folder = join(casesFolder, name)
  const file = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as CaseFile
  const specName = readdirSync(folder).find((entry) => entry.startsWith('spec.')) ?? 'spec.yaml'
  return {
    name,
    folder,
    specName,
    specText: readFileSync(join(folder, specName), 'utf8'),
    facts: { ...readHost(file.host), images: file.images ?? [] },
    folders: { run: file.run ?? '/run/vhostkit', state: '/var/lib/vhostkit' },
    defaultBoot: file.boot === false ? undefined : guest,
  }
}

export function readHost(name: string): Facts {
  return JSON.parse(readFileSync(`test/hosts/${name}.json`, 'utf8')) as Facts
}
