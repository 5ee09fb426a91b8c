import { VhostkitError } from '../../core/errors.js'
import type { TapArtifact } from '../../core/render/artifacts.js'
import { type ProgramResult, runProgram } from '../../world/run-program.js'

/** Runs `ip`; tests give another. */
export type RunIp = (args: readonly string[]) => Promise<ProgramResult>

/**
 * The alias of a link names the run folder it belongs to, so that nobody else's
 * tap, nor that of a vhostkit in other folders, is ever taken for ours.
 */
export function ownerMark(runFolder: string): string {
  return `vhostkit ${runFolder}`
}

/** sbin is not in every user's PATH, and `ip` stands there on Debian. */
const searchPath = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`
const runIp: RunIp = (args) => runProgram('ip', args, { env: { PATH: searchPath } })

/** Makes a persistent tap with its MTU and addresses, up; a half-made one is removed again. */
export async function createTap(tap: TapArtifact, runFolder: string, ip = runIp): Promise<void> {
  const made = await ip([
    ...['tuntap', 'add', 'dev', tap.ifname, 'mode', 'tap'],
    ...(tap.user === undefined ? [] : ['user', tap.user]),
    'vnet_hdr',
  ])
  if (!made.ok) throw tapFailed(tap.ifname, made)
  const rest = [
    ['link', 'set', 'dev', tap.ifname, 'alias', ownerMark(runFolder)],
    ['link', 'set', 'dev', tap.ifname, 'mtu', String(tap.mtu)],
    ...tap.addresses.map((address) => ['address', 'add', address, 'dev', tap.ifname]),
    ['link', 'set', 'dev', tap.ifname, 'up'],
  ]
  for (const args of rest) {
    const result = await ip(args)
    if (result.ok) continue
    await ip(['link', 'delete', 'dev', tap.ifname])
    throw tapFailed(tap.ifname, result)
  }
}

/** Removes a tap of ours; nothing happens when there is none. */
export async function deleteTap(ifname: string, runFolder: string, ip = runIp): Promise<void> {
  const found = (await readTaps(runFolder, ip)).find((tap) => tap.ifname === ifname)
  if (found === undefined) return
  const result = await ip(['link', 'delete', 'dev', ifname])
  if (!result.ok) throw tapFailed(ifname, result)
}

/** Every tap of a run folder, with its addresses. */
export async function readTaps(runFolder: string, ip = runIp): Promise<TapArtifact[]> {
  const { stdout } = await ip(['-json', '-details', 'address', 'show'])
  return parseTaps(stdout, runFolder)
}

interface IpLink {
  ifname?: string
  ifalias?: string
  mtu?: number
  addr_info?: { family: string; local: string; prefixlen: number; scope: string }[]
}

/** Takes `ip -json -details address show` apart; the addresses the kernel gave itself are not ours. */
export function parseTaps(text: string, runFolder: string): TapArtifact[] {
  if (text.trim() === '') return []
  const links = JSON.parse(text) as IpLink[]
  return links
    .filter(({ ifalias }) => ifalias === ownerMark(runFolder))
    .map(({ ifname = '', mtu = 0, addr_info = [] }) => ({
      ifname,
      mtu,
      addresses: addr_info
        .filter(({ scope }) => scope === 'global')
        .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    }))
}

function tapFailed(ifname: string, result: ProgramResult): VhostkitError {
  return new VhostkitError('tap-failed', {
    sentence: `Tap ${ifname}: ${result.failure}.`,
    cause: result.stderr,
  })
}
