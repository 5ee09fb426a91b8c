import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { packInitrd } from '../../src/demo/guest/initrd.js'
import { testFolderPrefix } from './host-state.js'

/**
 * Writes the guest's initrd to `to` with programs of this host in it, each at its own path and with the libraries
 * it needs. The kernel unpacks archives that stand one behind the other.
 */
export async function addPrograms(initrd: string, to: string, programs: string[]): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), testFolderPrefix.slice(1)))
  try {
    const root = join(work, 'root')
    mkdirSync(root)
    for (const path of new Set(programs.flatMap((program) => [program, ...listLibraries(program)]))) {
      mkdirSync(join(root, dirname(path)), { recursive: true })
      copyFileSync(path, join(root, path))
    }
    writeFileSync(to, Buffer.concat([readFileSync(initrd), await packInitrd(root)]))
  } finally {
    rmSync(work, { recursive: true })
  }
}

/** As the loader of this host finds them, itself among them. */
function listLibraries(program: string): string[] {
  const lines = execFileSync('ldd', [program], { encoding: 'utf8' }).split('\n')
  return lines.flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? [])
}
