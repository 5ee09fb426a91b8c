import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  giveForwarding,
  holdsForwarding,
  readForwarding,
  takeForwarding,
} from '../../../src/drivers/network/forwarding.js'
import { parseLeases } from '../../../src/drivers/network/leases.js'
import { parseMarks } from '../../../src/drivers/network/nat.js'
import { parseAccount } from '../../../src/host/dnsmasq.js'

describe('forwarding', () => {
  let folder: string
  let account: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vhostkit-test-'))
    account = join(folder, 'forwarding.json')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const path = (name: string) => join(folder, 'ipv4', name)
  const set = (name: string, value: string) => {
    mkdirSync(dirname(path(name)), { recursive: true })
    writeFileSync(path(name), `${value}\n`)
  }
  const get = (name: string) => readFileSync(path(name), 'utf8').trim()
  const where = () => ({ ipv4: join(folder, 'ipv4') })
  /** Files do not do what the kernel does besides, so the test does. */
  const kernelFollows = () => {
    const on = get('ip_forward')
    set('conf/all/accept_redirects', on === '1' ? '0' : '1')
    for (const link of ['default', 'eth0', 'eth1']) set(`conf/${link}/forwarding`, on)
  }
  const begin = (forward: string) => {
    set('ip_forward', forward)
    set('conf/all/accept_redirects', '0')
    set('conf/default/forwarding', forward)
    set('conf/eth0/forwarding', '1')
    set('conf/eth1/forwarding', forward)
  }

  it('is on while anybody uses it, and exactly as before after the last', async () => {
    begin('0')
    await takeForwarding(account, 'a/lan', where())
    kernelFollows()
    await takeForwarding(account, 'a/lan', where())
    await takeForwarding(account, 'b/lan', where())
    assert.equal(await holdsForwarding(account, 'b/lan'), true)
    await giveForwarding(account, 'a/lan', where())
    await giveForwarding(account, 'c/lan', where())
    assert.equal(await readForwarding(where()), true)
    // What the kernel sets besides when ip_forward goes back to 0.
    const giving = giveForwarding(account, 'b/lan', where())
    await giving
    assert.equal(get('ip_forward'), '0')
    assert.equal(get('conf/all/accept_redirects'), '0', 'as it was, though the kernel says 1 by default')
    assert.equal(get('conf/eth0/forwarding'), '1', 'this one was on before us')
    assert.equal(await holdsForwarding(account, 'b/lan'), false)
  })

  it('stays on when it was on before, and off when somebody has turned it off', async () => {
    begin('1')
    await takeForwarding(account, 'a/lan', where())
    await giveForwarding(account, 'a/lan', where())
    assert.equal(get('ip_forward'), '1')
    begin('0')
    await takeForwarding(account, 'a/lan', where())
    set('ip_forward', '0')
    set('conf/all/accept_redirects', '7')
    await giveForwarding(account, 'a/lan', where())
    assert.equal(get('conf/all/accept_redirects'), '7')
  })

  it('begins anew after a reboot, and refuses a damaged account', async () => {
    begin('1')
    const before = { ip_forward: '0', accept_redirects: '1', links: {} }
    writeFileSync(account, JSON.stringify({ version: 1, boot: 'another', users: ['old/lan'], before }))
    assert.equal(await holdsForwarding(account, 'old/lan'), false)
    await giveForwarding(account, 'old/lan', where())
    assert.equal(get('ip_forward'), '1')
    await takeForwarding(account, 'a/lan', where())
    await giveForwarding(account, 'a/lan', where())
    assert.equal(get('ip_forward'), '1')
    writeFileSync(account, '{"version":1,')
    await assert.rejects(takeForwarding(account, 'a/lan', where()), { code: 'state-damaged' })
  })
})

describe('what dnsmasq and nft say', () => {
  it('leases: good lines only', () => {
    const text = [
      '1764012345 52:54:00:8c:42:5f 192.168.77.130 web-1 01:52:54:00:8c:42:5f',
      '0 52:54:00:8C:42:60 192.168.77.131 * *',
      '1764012345 52:54:00:8c:42:61 192.168.77.132 a;reboot *',
      'duid 00:01:00:01:2c',
      '1764012345 12345 fd00::5 x *',
      '',
    ].join('\n')
    assert.deepEqual(parseLeases(text), [
      {
        mac: '52:54:00:8c:42:5f',
        address: '192.168.77.130',
        name: 'web-1',
        until: '2025-11-24T19:25:45.000Z',
      },
      { mac: '52:54:00:8c:42:60', address: '192.168.77.131', name: null, until: null },
      { mac: '52:54:00:8c:42:61', address: '192.168.77.132', name: null, until: '2025-11-24T19:25:45.000Z' },
    ])
  })

  const listed = {
    nftables: [
      { metainfo: { version: '1.0.6' } },
      { table: { family: 'ip', name: 'vhostkit_a', handle: 1 } },
      {
        chain: {
          family: 'ip',
          table: 'vhostkit_a',
          name: 'forward',
          type: 'filter',
          hook: 'forward',
          prio: 0,
          policy: 'accept',
        },
      },
      {
        chain: {
          family: 'ip',
          table: 'filter',
          name: 'FORWARD',
          type: 'filter',
          hook: 'forward',
          prio: 0,
          policy: 'drop',
        },
      },
      {
        chain: {
          family: 'ip6',
          table: 'filter',
          name: 'FORWARD',
          type: 'filter',
          hook: 'forward',
          prio: 0,
          policy: 'drop',
        },
      },
      { chain: { family: 'ip', table: 'filter', name: 'DOCKER' } },
      {
        rule: {
          family: 'ip',
          table: 'vhostkit_a',
          chain: 'forward',
          handle: 3,
          comment: 'vhostkit 1a2b3c4d 0',
          expr: [],
        },
      },
      { rule: { family: 'ip', table: 'vhostkit_a', chain: 'forward', handle: 4, expr: [] } },
    ],
  }

  it('marks: chains and the comments of their rules, those without too', () => {
    assert.deepEqual(
      parseMarks(JSON.stringify({ nftables: [...listed.nftables.slice(0, 3), ...listed.nftables.slice(6)] })),
      ['forward filter forward accept', 'forward vhostkit 1a2b3c4d 0', 'forward no comment'],
    )
  })

  it('takes a user without rights for dnsmasq, never root', () => {
    const group = 'root:x:0:\nnogroup:x:65534:\n'
    const nobody = 'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n'
    assert.deepEqual(parseAccount(`dnsmasq:x:999:65534:::\n${nobody}`, group), {
      user: 'dnsmasq',
      group: 'nogroup',
    })
    assert.deepEqual(parseAccount(`dnsmasq:x:0:0:::\n${nobody}`, group), { user: 'nobody', group: 'nogroup' })
    assert.equal(parseAccount('root:x:0:0::/root:/bin/sh\n', group), null)
  })
})
