import type { Artifacts, FileArtifact, MachineArtifact } from '../render/artifacts.js'
import type { Live } from './steps.js'

/** What machines that start have not got yet. A disk that is there is never made anew. */
export function missingFiles(
  start: MachineArtifact[],
  live: Live,
): { file: FileArtifact; uid: number | null }[] {
  return start.flatMap(({ files = [], domain }) =>
    files
      .filter(({ path }) => !live.files.includes(path))
      .map((file) => ({ file, uid: domain?.uid ?? null })),
  )
}

/**
 * Seeds that no machine will read again: what `left`, which run on as they were,
 * started with is kept. Disks of machines that are no longer wanted are kept too.
 */
export function staleSeeds({ machines }: Artifacts, live: Live, left: MachineArtifact[]): string[] {
  const wanted = machines.flatMap(({ files = [] }) => files.map(({ path }) => path))
  const inUse = live.machines
    .filter(({ name }) => left.some((machine) => machine.name === name))
    .map(({ argv, domain }) => `${argv?.join(' ')} ${domain?.xml}`)
  const isRead = (path: string) => inUse.some((text) => text.includes(path.slice(path.lastIndexOf('/'))))
  return live.files.filter((path) => isSeed(path) && !wanted.includes(path) && !isRead(path))
}

export function isSeed(path: string): boolean {
  return path.endsWith('.iso')
}
