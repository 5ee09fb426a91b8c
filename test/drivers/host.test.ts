import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  checkHugepagesFree,
  readPool,
  releaseHugepages,
  reserveHugepages,
} from '../../src/drivers/host/hugepages.js'
import { createTap, deleteTap, parseTaps } from '../../src/drivers/host/taps.js'
import type { ProgramResult } from '../../src/world/run-program.js'

const done: ProgramResult = { ok: true, exitCode: 0, timedOut: false, stdout: '', stderr: '', failure: '' }
const tap = { ifname: 'vk0', mtu: 9000, addresses: ['10.0.0.1/24', 'fd00::1/64'] }

/** What `ip -json -details address show` prints of one link, reduced. */
const listed = JSON.stringify([
  { ifname: 'lo', mtu: 65536, addr_info: [] },
  {
    ifname: 'vk0',
    ifalias: 'vhostkit /run/a',
    mtu: 9000,
    addr_info: [
      { family: 'inet', local: '10.0.0.1', prefixlen: 24, scope: 'global' },
      { family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link' },
    ],
  },
])

describe('taps', () => {
  it('are made with a vnet header, an MTU, addresses, and put up', async () => {
    const asked: string[] = []
    await createTap(tap, '/run/a', async (args) => {
      asked.push(args.join(' '))
      return done
    })
    assert.deepEqual(asked, [
      'tuntap add dev vk0 mode tap vnet_hdr',
      'link set dev vk0 alias vhostkit /run/a',
      'link set dev vk0 mtu 9000',
      'address add 10.0.0.1/24 dev vk0',
      'address add fd00::1/64 dev vk0',
      'link set dev vk0 up',
    ])
  })

  it('are removed again when they cannot be completed', async () => {
    const asked: string[] = []
    const ip = async (args: readonly string[]) => {
      asked.push(args.join(' '))
      return args[0] === 'address' ? { ...done, ok: false, failure: 'ip: invalid address' } : done
    }
    await assert.rejects(createTap(tap, '/run/a', ip), /Tap vk0: ip: invalid address/)
    assert.equal(asked.at(-1), 'link delete dev vk0')
  })

  it('are ours only with our mark, and their addresses are those we gave', () => {
    assert.deepEqual(parseTaps(listed, '/run/a'), [{ ifname: 'vk0', mtu: 9000, addresses: ['10.0.0.1/24'] }])
    assert.deepEqual(parseTaps('', '/run/a'), [])
  })

  it('of others are never removed', async () => {
    const asked: string[] = []
    const ip = async (args: readonly string[]) => {
      asked.push(args.join(' '))
      return { ...done, stdout: listed }
    }
    await deleteTap('lo', '/run/a', ip)
    await deleteTap('vk0', '/run/b', ip)
    assert.deepEqual(asked, ['-json -details address show', '-json -details address show'])
  })
})

describe('hugepages', () => {
  let sys = ''
  let pool = ''
  beforeEach(() => {
    sys = mkdtempSync(join(tmpdir(), 'vkt-'))
    pool = join(sys, 'devices/system/node/node1/hugepages/hugepages-2048kB')
    mkdirSync(pool, { recursive: true })
    writeFileSync(join(pool, 'nr_hugepages'), '10\n')
    writeFileSync(join(pool, 'free_hugepages'), '4\n')
  })
  afterEach(() => rmSync(sys, { recursive: true }))

  it('are added to what is there, what was there is noted first, and they are taken out again', async () => {
    const amount = { node: 1, pageBytes: 2 ** 21, pages: 6 }
    const noted: unknown[] = []
    const note = async (facts: Record<string, number>) => {
      noted.push([facts, readFileSync(join(pool, 'nr_hugepages'), 'utf8').trim()])
    }
    await reserveHugepages(amount, { note }, { sys })
    assert.deepEqual(await readPool(1, 2 ** 21, { sys }), { total: 16, free: 4, promised: 0 })
    await releaseHugepages(amount, { note }, { sys })
    assert.deepEqual(await readPool(1, 2 ** 21, { sys }), { total: 10, free: 4, promised: 0 })
    assert.deepEqual(noted, [
      [{ before: 10 }, '10'],
      [{ before: 16 }, '16'],
    ])
  })

  it('that are short are asked for again after compaction, then given back, with numbers', async () => {
    const node = join(sys, 'devices/system/node/node1')
    rmSync(join(pool, 'nr_hugepages'))
    // Takes what is written, and gives nothing.
    symlinkSync('/dev/null', join(pool, 'nr_hugepages'))
    writeFileSync(join(node, 'compact'), '')
    writeFileSync(join(node, 'meminfo'), 'Node 1 MemTotal: 9 kB\nNode 1 MemFree:  20480 kB\n')
    const reserving = reserveHugepages(
      { node: 1, pageBytes: 2 ** 21, pages: 6 },
      { note: async () => {} },
      { sys },
    )
    await assert.rejects(reserving, /Node 1 gave 0 of 6 hugepages of 2048 kB, also after compaction.* 20 MB/)
    assert.equal(readFileSync(join(node, 'compact'), 'utf8'), '1')
  })

  it('are free when the kernel may give them: what it promised may be of any node', async () => {
    const host = join(sys, 'kernel/mm/hugepages/hugepages-2048kB')
    mkdirSync(host, { recursive: true })
    const isFree = async (ofHost: number, promised: number) => {
      writeFileSync(join(host, 'free_hugepages'), `${ofHost}\n`)
      writeFileSync(join(host, 'resv_hugepages'), `${promised}\n`)
      return checkHugepagesFree(1, 2 ** 21, 4, { sys })
    }
    assert.equal((await isFree(4, 0)).ok, true)
    assert.equal((await isFree(7, 3)).ok, true, 'another node has the three')
    const { ok, found } = await isFree(6, 3)
    assert.equal(ok, false)
    assert.equal(
      found,
      '4 hugepages of 2048 kB are free on node 1, 6 on the host, of which 3 are promised to others',
    )
    writeFileSync(join(pool, 'free_hugepages'), '3\n')
    assert.equal((await isFree(9, 0)).ok, false, 'those of another node are no help')
  })

  it('of a size the host does not have are none', async () => {
    assert.deepEqual(await readPool(1, 2 ** 30, { sys }), { total: 0, free: 0, promised: 0 })
  })
})
