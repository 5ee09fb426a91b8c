import { VhostkitError } from '../../core/errors.js'
import type { DhcpArtifact } from '../../core/render/artifacts.js'
import type { LiveDhcp } from '../../core/steps/steps.js'
import {
  exists,
  makeFolder,
  readTail,
  readText,
  removeFile,
  removeFolder,
  writeTextAtomic,
} from '../../world/files.js'
import { findProcessIds, isAlive, readArguments } from '../../world/processes.js'
import { startLogged } from '../../world/start-logged.js'
import { WaitedTooLong, waitFor } from '../../world/wait-for.js'
import { endProcesses } from '../end-processes.js'

/** It opens its sockets, becomes its user and writes its pid within some 50 ms; a busy host may take longer. */
const startLimitMs = 5_000

/** The pid of a network's dnsmasq; null when it does not run. It is known by the file that it was told to read. */
export async function readDhcpPid({ pidFile, configFile }: DhcpArtifact): Promise<number | null> {
  const isOurs = (argv: string[] | null) => argv?.includes(`--conf-file=${configFile}`) === true
  const pid = Number(((await readText(pidFile)) ?? '').trim())
  if (pid > 0 && (await isAlive(pid)) && isOurs(await readArguments(pid))) return pid
  // One that was started by a CLI that was killed, or whose pid file somebody removed.
  const [found = null] = await findProcessIds(isOurs)
  return found
}

/** What is there of some networks' dnsmasqs, each with what it was started with. */
export async function readLiveDhcp(artifacts: DhcpArtifact[]): Promise<LiveDhcp[]> {
  const live = await Promise.all(
    artifacts.map(async (dhcp): Promise<LiveDhcp[]> => {
      const pid = await readDhcpPid(dhcp)
      if (pid === null && !(await exists(dhcp.folder))) return []
      const argv = pid === null ? null : await readArguments(pid)
      const config = await readText(dhcp.configFile)
      return [{ dhcp: { ...dhcp, argv: argv ?? dhcp.argv, config: config ?? '' }, pid: pid ?? 0 }]
    }),
  )
  return live.flat()
}

/** Starts it and waits until it serves. What it says before that is in its log; later it speaks to syslog. */
export async function startDhcp(dhcp: DhcpArtifact, signal?: AbortSignal): Promise<void> {
  const { folder, argv, configFile, config, pidFile, log } = dhcp
  if ((await readDhcpPid(dhcp)) !== null) await stopDhcp(dhcp, false)
  await makeFolder(folder, 0o700)
  await writeTextAtomic(configFile, config)
  await removeFile(log)
  const child = await startLogged(argv, log).catch((cause: Error) => {
    throw startFailed(dhcp, cause.message, cause)
  })
  try {
    await waitFor({ what: 'dnsmasq to serve', limitMs: startLimitMs, everyMs: 20, signal }, async () => {
      const ended = child.ended()
      if (ended !== null)
        throw startFailed(dhcp, await lastWords(log, ended.signal ?? `exit code ${ended.exitCode}`))
      return Number(((await readText(pidFile)) ?? '').trim()) === child.pid
    })
  } catch (error) {
    await endProcesses([child.pid], 0)
    if (!(error instanceof WaitedTooLong)) throw error
    throw startFailed(dhcp, `it did not serve within ${startLimitMs / 1000} s`, error)
  }
}

/** Ends it; `remove`: its files go, too. */
export async function stopDhcp(dhcp: DhcpArtifact, remove: boolean): Promise<void> {
  const pid = await readDhcpPid(dhcp)
  if (pid !== null) await endProcesses([pid], 0)
  await removeFile(dhcp.pidFile)
  if (remove) await removeFolder(dhcp.folder)
}

async function lastWords(log: string, otherwise: string): Promise<string> {
  const said = (await readTail(log)).trim().split('\n').at(-1) ?? ''
  return said === '' ? otherwise : said
}

function startFailed({ network, ifname }: DhcpArtifact, why: string, cause?: unknown): VhostkitError {
  return new VhostkitError('dhcp-failed', {
    sentence: `dnsmasq for network ${network} on ${ifname} did not start: ${why}.`,
    cause,
  })
}
