import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type GuestImage, makeGuest } from '../../src/demo/guest/guest.js'
import { lookAtHost, requireRoot } from './host-state.js'
import {
  beyond,
  beyondAddress,
  dnsmasqs,
  fullNetwork,
  Guests,
  host,
  inside,
  insideProgram,
  ip,
  lookAtNetwork,
  makeSpaces,
  outSpec,
  readOwnAddress,
  removeSpaces,
  setLegacy,
} from './out-rig.js'
import { startCli } from './run-cli.js'
import { applySpec, errorOf, makeSandbox, type Sandbox } from './sandbox.js'
import { sendSignal } from './send-signal.js'

interface Status {
  deployments: {
    networks: {
      dhcp: { pid: number; leases: { address: string; name: string }[] } | null
      nat: { state: string; forwarding: boolean } | null
    }[]
  }[]
}

/** Guests that get their addresses from the host and reach beyond it, in namespaces of the test's own. */
describe('DHCP and NAT', function () {
  this.timeout(200_000)
  let sandbox: Sandbox
  let untouched: ReturnType<typeof lookAtHost>
  let guestFiles: GuestImage
  let was: Record<string, string>
  const guests = new Guests()

  before(async function () {
    requireRoot(this)
    untouched = lookAtHost()
    makeSpaces()
    sandbox = await makeSandbox('preferred', insideProgram)
    was = lookAtNetwork(sandbox)
    guestFiles = await makeGuest(process.cwd(), () => undefined, new AbortController().signal)
  })
  after(async () => {
    guests.close()
    await sandbox?.json('destroy', 'out', '--grace', '0').catch(() => undefined)
    removeSpaces()
    sandbox?.remove()
  })

  const write = (network: string, kernel?: string) =>
    sandbox.writeSpec(outSpec({ ...guestFiles, ...(kernel === undefined ? {} : { kernel }) }, network))
  const apply = (spec: string) => applySpec(sandbox, spec)
  const network = async () =>
    ((await sandbox.json('status', 'out')).data as unknown as Status).deployments[0]?.networks[0]
  const pings = (name: string, peer: string) => guests.pings(name, peer)
  const findings = async () => {
    const { data } = await sandbox.json('doctor')
    const all = data.findings as { code: string | null; level: string; fix: string }[]
    return all.filter(({ code }) => code !== null && /^(dhcp|nat|forward)/.test(code))
  }
  const codes = async () => (await findings()).map(({ code, level }) => `${level} ${code}`)

  it('is undone when a later step fails', async () => {
    const { exitCode, data } = await sandbox.json('apply', write(fullNetwork, '/etc/hostname'))
    assert.deepEqual([exitCode, errorOf(data).code], [1, 'qemu-start-failed'], JSON.stringify(data))
    assert.deepEqual(lookAtNetwork(sandbox), was)
    assert.equal(existsSync(join(sandbox.run, 'networks/out.lan')), false)
    assert.equal(existsSync(join(sandbox.state, 'forwarding.json')), false)
  })

  it('is applied, and a second time nothing changes', async () => {
    await apply(write(fullNetwork))
    await guests.meet(sandbox)
    assert.deepEqual(await apply(write(fullNetwork)), [])
    assert.deepEqual(await codes(), [])
  })

  it('serves the tap alone, as a user without rights', async () => {
    const [pid = ''] = dnsmasqs(sandbox)
    assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^Uid:\t(?!0\t)\d+\t(?!0\t)\d+/m)
    const sockets = inside(host, 'ss', '-lnup')
      .split('\n')
      .filter((line) => line.includes(`pid=${pid},`))
    const places = sockets.map((line) => line.trim().split(/\s+/)[3] ?? '').sort()
    assert.ok(places.length >= 2, sockets.join('\n'))
    for (const place of places)
      assert.match(place, /^(192\.168\.79\.1:53|0\.0\.0\.0%vk\S+:67|\[fe80::[0-9a-f:]+\]%vk\S+:53)$/)
  })

  it('gives guests addresses and names', async () => {
    const addresses = await Promise.all(['one', 'two_2'].map((name) => readOwnAddress(guests.of(name))))
    assert.match(addresses[0] ?? '', /^192\.168\.79\.(12[89]|1[3-9]\d|2\d\d)\/24$/)
    assert.equal(addresses[1], '192.168.79.20/24')
    const leases = (await network())?.dhcp?.leases ?? []
    assert.deepEqual(leases.map(({ name, address }) => `${name} ${address}/24`).sort(), [
      `one ${addresses[0]}`,
      'two-2 192.168.79.20/24',
    ])
    const answer = await guests.of('one').run('nslookup two-2.lab.internal')
    assert.match(answer, /Address(?: 1)?:\s+192\.168\.79\.20/)
    assert.match(
      await guests.of('two_2').run('cat /etc/resolv.conf'),
      /search lab.internal\s+nameserver 192\.168\.79\.1/,
    )
    assert.equal(await pings('two_2', 'one'), 3)
  })

  it('lets them reach the host and beyond, and nobody from there in', async () => {
    assert.equal(await pings('one', '192.168.79.1'), 3)
    assert.equal(await pings('one', beyondAddress), 3)
    // Only now does beyond know a way to the guests: what answered before was masqueraded, and rules alone keep it out.
    const way = ['192.168.79.0/24', 'via', '198.51.100.1']
    ip('-n', beyond, 'route', 'add', ...way)
    assert.throws(() => inside(beyond, 'ping', '-c', '2', '-i', '0.2', '-W', '1', '192.168.79.20'))
    ip('-n', beyond, 'route', 'delete', ...way)
  })

  it('is watched: what others break is named, and mended by apply alone', async () => {
    const [pid = ''] = dnsmasqs(sandbox)
    sendSignal(Number(pid), 'SIGKILL')
    const table = /vhostkit_\w+/.exec(inside(host, 'nft', 'list', 'tables'))?.[0] ?? ''
    inside(host, 'nft', 'delete', 'table', 'ip', table)
    inside(host, 'sysctl', '-qw', 'net.ipv4.ip_forward=0')
    inside(
      host,
      'nft',
      'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }',
    )
    assert.deepEqual(await codes(), [
      'problem dhcp-dead',
      'problem nat-table-missing',
      'problem forwarding-off',
      'note forward-dropped',
    ])
    const found = await network()
    assert.deepEqual([found?.dhcp?.pid, found?.nat?.state, found?.nat?.forwarding], [0, 'missing', false])
    assert.equal(await pings('one', beyondAddress), 0)
    assert.deepEqual(await apply(write(fullNetwork)), ['start-dhcp lan', 'set-nat lan'])
    assert.equal(await pings('one', beyondAddress), 0, 'the chain of others still drops')
    // The same by a rule, with a policy that looks as if all might pass.
    inside(host, 'nft', 'chain ip filter FORWARD { policy accept; }; add rule ip filter FORWARD counter drop')
    assert.deepEqual(await codes(), ['note forward-dropped'])
    assert.equal(await pings('one', beyondAddress), 0)
    inside(host, 'nft', 'delete', 'table', 'ip', 'filter')
    assert.equal(await pings('one', beyondAddress), 3)
    await unblockLegacy()
    inside(host, 'nft', 'flush', 'chain', 'ip', table, 'forward')
    assert.deepEqual(await codes(), ['problem nat-table-changed'])
    assert.deepEqual(await apply(write(fullNetwork)), ['set-nat lan'])
    assert.deepEqual(await codes(), [])
  })

  /** As Docker sets it on a host with iptables-legacy; the command that doctor shows lets frames pass. */
  async function unblockLegacy() {
    setLegacy('-N DOCKER-USER', '-A FORWARD -j DOCKER-USER', '-P FORWARD DROP')
    assert.deepEqual(await codes(), ['note forward-dropped'])
    assert.equal(await pings('one', beyondAddress), 0)
    const [{ fix } = { fix: '' }] = await findings()
    inside(host, 'sh', '-e', '-c', fix.slice(fix.indexOf('iptables-legacy')))
    assert.equal(await pings('one', beyondAddress), 3, fix)
    assert.deepEqual(await codes(), [])
    setLegacy('-P FORWARD ACCEPT', '-F', '-X')
  }

  it('keeps its leases when its dnsmasq starts anew, and guests inside without nat', async () => {
    const leases = (await network())?.dhcp?.leases.map(({ address }) => address)
    const steps = await apply(write('dhcp: { domain: lab.internal }'))
    assert.deepEqual(steps, ['stop-dhcp lan', 'delete-nat lan', 'start-dhcp lan'])
    assert.deepEqual(
      (await network())?.dhcp?.leases.map(({ address }) => address),
      leases,
    )
    const { dnsmasqs: _, links: __, ...rest } = lookAtNetwork(sandbox)
    const { dnsmasqs: ___, links: ____, ...old } = was
    assert.deepEqual(rest, old, 'no table, and forwarding as before')
    assert.equal(await pings('one', '192.168.79.1'), 3)
    assert.equal(await pings('one', beyondAddress), 0)
    // Forwarding alone does not do it: beyond must not see the guests' own addresses.
    assert.deepEqual(await apply(write(fullNetwork)), ['stop-dhcp lan', 'start-dhcp lan', 'set-nat lan'])
    assert.equal(await pings('one', beyondAddress), 3)
  })

  it('knows where a machine is: by its lease, and has ssh go there', async () => {
    const { data } = await sandbox.json('address', 'one')
    assert.equal(data.source, 'lease')
    assert.match(String(data.address), /^192\.168\.79\./)
    const bin = join(sandbox.base, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'ssh'), '#!/bin/sh\nfor word; do echo "[$word]"; done\nexit 7\n', { mode: 0o755 })
    const words = ['ssh', 'out/one', '--user', 'root', '--', 'echo', '--json', '$(reboot)']
    const env = { ...sandbox.env, PATH: `${bin}:${process.env.PATH}` }
    const { exitCode, stdout } = await startCli(words, env, insideProgram).result
    assert.equal(exitCode, 7)
    const said = stdout.trim().split('\n')
    assert.deepEqual(said.slice(-7), [
      '[-l]',
      '[root]',
      '[--]',
      `[${data.address}]`,
      '[echo]',
      '[--json]',
      '[$(reboot)]',
    ])
    assert.ok(said.includes(`[UserKnownHostsFile="${sandbox.state}/ssh/out.known_hosts"]`), stdout)
    const shown = await sandbox.json('ssh', 'one', '--print-address')
    assert.equal(shown.data.address, data.address)
    // The ssh of the test keeps no keys: this stands for them, and must go with the deployment.
    writeFileSync(join(sandbox.state, 'ssh/out.known_hosts'), 'out.one ssh-ed25519 AAAA\n')
  })

  it('and without a lease as the host has met it, or meets it when called', async () => {
    const leased = (await sandbox.json('address', 'one')).data.address
    assert.equal(await pings('one', '192.168.79.1'), 3)
    assert.deepEqual(await apply(write('mtu: 1500')), ['stop-dhcp lan', 'delete-nat lan'])
    const met = (await sandbox.json('address', 'one')).data
    assert.deepEqual([met.address, met.source], [leased, 'neighbour'])
    const tap = /vk[0-9a-f]{6}-lan/.exec(ip('-n', host, 'link'))?.[0] ?? ''
    await guests.of('one').run('ifconfig eth0 0.0.0.0')
    ip('-n', host, 'neigh', 'flush', 'dev', tap)
    const called = (await sandbox.json('address', 'one')).data
    assert.equal(called.source, 'neighbour', JSON.stringify(called))
    assert.match(String(called.address), new RegExp(`^fe80:.*%${tap}$`))
    guests.of('one').close()
    assert.equal((await sandbox.json('stop', 'out', 'one', '--grace', '0')).exitCode, 0)
    const { exitCode, data } = await sandbox.json('address', 'one')
    assert.deepEqual([exitCode, errorOf(data).code], [1, 'address-unknown'])
  })

  it('is destroyed, and rules, forwarding and processes are as before', async () => {
    guests.close()
    const { exitCode, data } = await sandbox.json('destroy', 'out', '--grace', '0')
    assert.equal(exitCode, 0, JSON.stringify(data))
    assert.deepEqual(lookAtNetwork(sandbox), was)
    assert.equal(existsSync(join(sandbox.run, 'networks/out.lan')), false)
    assert.equal(existsSync(join(sandbox.state, 'forwarding.json')), false)
    assert.equal(existsSync(join(sandbox.state, 'ssh/out.known_hosts')), false)
    assert.deepEqual(lookAtHost(), untouched)
  })
})
