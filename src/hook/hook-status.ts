import { mayAccess, readOwner, readText } from '../world/files.js'
import { findProcessIds, readProcess } from '../world/processes.js'
import { isOurs } from './install.js'
import { type HookSettings, readSettings } from './settings.js'

export interface HookStatus {
  installed: boolean
  dropIn: string | null
  /** Whether a libvirtd that runs now looks for hooks; null when none runs, or nothing is installed. */
  seen: boolean | null
  /** What is wrong, one sentence each. */
  problems: string[]
}

export async function readHookStatus(stateFolder: string): Promise<HookStatus> {
  const settings = await readSettings(stateFolder)
  if (settings === null) return { installed: false, dropIn: null, seen: null, problems: [] }
  const { dropIn } = settings
  const text = await readText(dropIn)
  const problems: string[] = []
  if (text === null) problems.push(`${dropIn} is gone: run \`vhostkit hooks install\` again.`)
  else if (!isOurs(text)) problems.push(`${dropIn} is not ours any more.`)
  else if (!(await mayAccess(dropIn, 'x')))
    problems.push(`${dropIn} is not executable, so libvirt skips it silently.`)
  const seen = await isSeen(settings)
  if (seen === false) {
    problems.push(
      'libvirtd runs since before its first hook was installed, and does not see it: restart libvirtd (running machines stay).',
    )
  }
  if (
    !/^\/(usr\/)?s?bin\//.test(nodeOf(text ?? '')) &&
    (await readOwner('/sys/kernel/security/apparmor')) !== null
  ) {
    problems.push('With AppArmor libvirt may run only programs of /usr/bin and the like: install Node there.')
  }
  return { installed: text !== null, dropIn, seen, problems }
}

function nodeOf(text: string): string {
  return /timeout -k 1 \d+ (\S+) /.exec(text)?.[1] ?? '/usr/bin/node'
}

/** libvirt looks for hooks when it starts; later it finds new ones only if there was one then. */
async function isSeen({ first, installedAt }: HookSettings): Promise<boolean | null> {
  const pids = await findProcessIds((argv) => /(^|\/)(libvirtd|virtqemud)$/.test(argv[0] ?? ''))
  if (pids.length === 0) return null
  if (!first) return true
  const starts = await Promise.all(pids.map(startOf))
  return starts.every((start) => start > installedAt)
}

/** When a process was started, in ms since 1970. Both its ticks and the uptime count from the boot, in 10 ms. */
async function startOf(pid: number): Promise<number> {
  const uptime = Number((await readText('/proc/uptime'))?.split(' ')[0] ?? 0)
  const ticks = (await readProcess(pid))?.startTime ?? 0
  return Date.now() - (uptime - ticks / 100) * 1000
}
