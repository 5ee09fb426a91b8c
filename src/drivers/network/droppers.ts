import {
  type Dropper,
  parseForwardTables,
  parseLegacyDroppers,
  parseNftDroppers,
} from '../../core/doctor/forward-droppers.js'
import type { NatArtifact } from '../../core/render/artifacts.js'
import { findProgram } from '../../host/versions.js'
import { runProgram } from '../../world/run-program.js'

/** Chains of others that drop what is forwarded, where their table does not name the tap. */
export async function readDroppers(nat: NatArtifact): Promise<Dropper[]> {
  const found = await Promise.all([readNftDroppers(nat), readLegacyDroppers(nat)])
  return found.flat()
}

async function readNftDroppers({ program, ifname, table: own }: NatArtifact): Promise<Dropper[]> {
  const { ok, stdout } = await runProgram(program, ['-j', 'list', 'chains'])
  if (!ok) return []
  const others = parseForwardTables(stdout).filter(({ table }) => table !== own)
  const texts = await Promise.all(
    others.map(({ family, table }) => runProgram(program, ['-j', 'list', 'table', family, table])),
  )
  // A table that is gone by now drops nothing.
  const read = texts.filter((text) => text.ok && !text.stdout.includes(`"${ifname}"`))
  return read.flatMap((text) => parseNftDroppers(text.stdout))
}

/** Without the name of a table it prints those that there are; asked for one, it would have the kernel make it. */
async function readLegacyDroppers({ ifname }: NatArtifact): Promise<Dropper[]> {
  const program = await findProgram('iptables-legacy-save')
  if (program === null) return []
  const { ok, stdout } = await runProgram(program, [])
  return ok && !stdout.includes(ifname) ? parseLegacyDroppers(stdout) : []
}
