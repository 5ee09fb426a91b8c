import { join } from 'node:path'
import { makeFolder } from '../../src/world/files.js'
import type { Frontend, FrontendName } from './frontends/frontend.js'
import { attachOurs } from './frontends/ours.js'
import { attachVirtioUser } from './frontends/virtio-user.js'
import { type Peer, PeerMissing, type SessionSetting } from './peers/peer.js'
import type { Missing } from './result.js'

/** A switch that is to take part, under the name it has in the results. */
export interface Entrant {
  name: string
  ports: number
  /** Behind each port. */
  addresses: number
  start(setting: SessionSetting): Promise<Peer>
}

/** One that does. */
export interface Contender {
  peer: Peer
  setting: SessionSetting
}

export interface Pair extends Contender {
  guests: Frontend
}

export interface Lineup {
  missing: Missing[]
  versions: Record<string, string>
}

/** Starts the switches, one after the other; each stands still until it is measured. */
export async function startAll(
  entrants: readonly Entrant[],
  base: Omit<SessionSetting, 'ports' | 'addresses'>,
  lineup: Lineup,
  say: (line: string) => void,
): Promise<Contender[]> {
  const contenders: Contender[] = []
  for (const { name, ports, addresses, start } of entrants) {
    try {
      const folder = join(base.folder, `${name}-${ports}-${addresses}`)
      await makeFolder(folder, 0o700)
      const setting = { ...base, folder, ports, addresses }
      const peer = await start(setting)
      peer.suspend()
      contenders.push({ peer, setting })
      lineup.versions[peer.name] = peer.version
    } catch (error) {
      leaveOut(describe(name, ports, addresses), error, lineup, say)
    }
  }
  return contenders
}

/** Attaches guests to each. A switch whose guests are a part of it takes part with `leads`, once. */
export async function attachAll(
  contenders: readonly Contender[],
  frontend: FrontendName,
  leads: boolean,
  lineup: Lineup,
  say: (line: string) => void,
): Promise<Pair[]> {
  const attach = frontend === 'ours' ? attachOurs : attachVirtioUser
  const pairs: Pair[] = []
  for (const contender of contenders) {
    const { peer, setting } = contender
    if (peer.guests !== undefined) {
      if (leads) pairs.push({ ...contender, guests: peer.guests })
      continue
    }
    peer.resume()
    try {
      pairs.push({ ...contender, guests: await attach(peer, setting) })
    } catch (error) {
      leaveOut(`${frontend} on ${describe(peer.name, setting.ports, setting.addresses)}`, error, lineup, say)
    }
    peer.suspend()
  }
  return pairs
}

function describe(name: string, ports: number, addresses: number): string {
  return `${name}${ports === 2 ? '' : ` with ${ports} ${ports === 1 ? 'port' : 'ports'}`}${addresses === 1 ? '' : ` with ${addresses} addresses a port`}`
}

/** What is not there is left out, with its reason; what fails though it is there fails the bench. */
function leaveOut(what: string, error: unknown, lineup: Lineup, say: (line: string) => void): void {
  if (!(error instanceof PeerMissing)) throw error
  lineup.missing.push({ what, why: error.message })
  say(`${what} is left out: ${error.message}`)
}
