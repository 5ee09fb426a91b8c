import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Every test that applies something does it in a folder with this name. */
export const testFolderPrefix = '/vkt-'

/** What of ours can be left on a host: processes, taps, hugepages, folders of demos. */
export interface HostState {
  processes: string[]
  taps: string[]
  hugepages: string
  folders: string[]
}

/** Looks at the host without any code of the product, so that both cannot be wrong the same way. */
export function lookAtHost(): HostState {
  return {
    processes: readdirSync('/proc').filter(isPid).flatMap(readOurs).sort(),
    taps: readdirSync('/sys/class/net').filter((name) => name.startsWith('vk')),
    hugepages: /HugePages_Total:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? '0',
    folders: readdirSync(tmpdir()).filter((name) => name.startsWith('vhostkit-demo-')),
  }
}

/** Tests with real machines need root, and say loudly when they cannot run. */
export function requireRoot(context: Mocha.Context): void {
  const missing = [
    ...(process.geteuid?.() === 0 ? [] : ['root']),
    ...(existsSync('/dev/net/tun') ? [] : ['/dev/net/tun']),
    ...(existsSync('native/build/vhostkit-switch') ? [] : ['the native switch (sh bin/setup)']),
  ]
  if (missing.length === 0) return
  process.stderr.write(
    `\n*** SKIPPED, because this host lacks ${missing.join(', ')}: ${context.test?.parent?.title}\n`,
  )
  context.skip()
}

function isPid(name: string): boolean {
  return /^\d+$/.test(name)
}

/**
 * A process of ours is known by the folder in its arguments, so that another
 * checkout's switch does not count. Zombies have no arguments.
 */
function readOurs(pid: string): string[] {
  try {
    const words = readFileSync(join('/proc', pid, 'cmdline'), 'utf8').split('\0')
    const ours = words.some((word) => word.includes('/vhostkit-demo-') || word.includes(testFolderPrefix))
    return ours && pid !== String(process.pid) ? [`${words[0]} ${pid}`] : []
  } catch {
    return []
  }
}
