import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Belongings } from '../../native/bench/belongings.js'
import { attachAll, type Lineup, startAll } from '../../native/bench/lineup.js'
import { type Peer, PeerMissing } from '../../native/bench/peers/peer.js'

describe('who takes part in the bench', () => {
  const peer = (name: string, more: Partial<Peer> = {}): Peer => ({
    name,
    version: `${name} 1`,
    sockets: [],
    connects: false,
    cyclesSource: 'none',
    begin: async () => undefined,
    end: async () => ({ cyclesPerFrame: 1 }),
    suspend: () => undefined,
    resume: () => undefined,
    ...more,
  })
  const setting = (folder: string) => ({
    folder,
    largest: 64,
    offload: false,
    hugepages: false,
    signal: new AbortController().signal,
    belongings: new Belongings(),
  })

  it('names a peer that is missing, and goes on without it', async () => {
    const lineup: Lineup = { missing: [], versions: {} }
    const said: string[] = []
    const base = await mkdtemp(join(tmpdir(), 'vhostkit-lineup-'))
    try {
      const shape = { ports: 2, addresses: 1 }
      const entrants = [
        { name: 'ovs', ...shape, start: () => Promise.reject(new PeerMissing('it is not installed')) },
        { name: 'kernel', ports: 1, addresses: 1, start: () => Promise.reject(new PeerMissing('in pairs')) },
        { name: 'vhostkit', ...shape, start: async () => peer('vhostkit') },
      ]
      const contenders = await startAll(entrants, setting(base), lineup, (line) => said.push(line))
      assert.deepEqual(lineup.missing, [
        { what: 'ovs', why: 'it is not installed' },
        { what: 'kernel with 1 port', why: 'in pairs' },
      ])
      assert.deepEqual(said[0], 'ovs is left out: it is not installed')
      assert.deepEqual(
        contenders.map((contender) => contender.peer.name),
        ['vhostkit'],
      )
      assert.deepEqual(lineup.versions, { vhostkit: 'vhostkit 1' })
      const broken = [{ name: 'ovs', ...shape, start: () => Promise.reject(new Error('it crashed')) }]
      await assert.rejects(
        startAll(broken, setting(base), lineup, () => undefined),
        /it crashed/,
      )
    } finally {
      await rm(base, { recursive: true })
    }
  })

  it('lets a switch that has its guests in it take part once', async () => {
    const guests = {
      name: 'tap' as const,
      load: async () => ({ mpps: 1, generatorCycles: null }),
      detach: async () => undefined,
    }
    const contender = {
      peer: peer('kernel', { guests }),
      setting: { ...setting('/nowhere'), ports: 2, addresses: 1 },
    }
    const lineup: Lineup = { missing: [], versions: {} }
    const say = () => undefined
    assert.equal((await attachAll([contender], 'ours', true, lineup, say)).length, 1)
    assert.equal((await attachAll([contender], 'virtio-user', false, lineup, say)).length, 0)
  })
})
