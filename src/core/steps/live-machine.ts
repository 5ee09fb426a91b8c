import type { Artifacts, MachineArtifact } from '../render/artifacts.js'
import type { DiffOptions } from './find-changes.js'
import type { Live } from './steps.js'

/**
 * A machine as it exists now: as it was applied, with the command line it
 * really runs with. Without a receipt its own command line says where its
 * files are; none when that is not known either.
 */
export function liveMachine(
  { name, argv }: Live['machines'][number],
  wanted: Artifacts,
  { applied }: DiffOptions,
): MachineArtifact[] {
  const before = [applied, wanted].flatMap((artifacts) => artifacts?.machines ?? [])
  const known = before.find((machine) => machine.name === name)
  if (known !== undefined) return [{ ...known, argv: argv ?? known.argv }]
  const pidFile = argv?.[argv.indexOf('-pidfile') + 1] ?? ''
  const folder = /^(\/.+)\/qemu\.pid$/.exec(pidFile)?.[1]
  if (argv === null || folder === undefined) return []
  const files = {
    qmpSocket: `${folder}/qmp.sock`,
    consoleSocket: `${folder}/console.sock`,
    log: `${folder}/qemu.log`,
  }
  return [{ name, folder, argv, ...files, pidFile, ports: [], hugepages: [], hostCpus: [] }]
}
