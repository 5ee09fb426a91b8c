import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loginPrograms, serveLogins, startAgent } from '../guest-login.js'
import { lookAtHost } from '../host-state.js'
import {
  beyondAddress,
  dnsmasqs,
  fullNetwork,
  Guests,
  host,
  insideProgram,
  ip,
  lookAtNetwork,
  makeSpaces,
  outSpec,
  readOwnAddress,
  removeSpaces,
} from '../out-rig.js'
import { startCli } from '../run-cli.js'
import { applySpec } from '../sandbox.js'
import { type DomainSandbox, makeDomainSandbox } from './domain-sandbox.js'
import { requireLibvirt } from './libvirtd.js'

/** Domains that get their addresses from the host, reach beyond it, and say by their agents where they are. */
describe('DHCP, NAT and the guest agent of domains', function () {
  this.timeout(200_000)
  let sandbox: DomainSandbox
  let untouched: ReturnType<typeof lookAtHost>
  let was: Record<string, string>
  const guests = new Guests()

  before(async function () {
    requireLibvirt(this)
    untouched = lookAtHost()
    makeSpaces()
    const inside = { space: host, program: insideProgram }
    sandbox = await makeDomainSandbox({ inside, programs: loginPrograms })
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key()])
    was = lookAtNetwork(sandbox)
  })
  after(async () => {
    guests.close()
    await sandbox?.json('destroy', 'out', '--grace', '0').catch(() => undefined)
    await sandbox?.end()
    removeSpaces()
    assert.deepEqual(lookAtHost(), untouched)
  })

  const key = () => join(sandbox.base, 'id')
  const write = (network: string) => {
    const login = { user: 'admin', 'ssh-keys': [readFileSync(`${key()}.pub`, 'utf8').trim()] }
    const more = [
      'driver: libvirt',
      `connect: ${sandbox.libvirtd.uri}`,
      `cloud-init: ${JSON.stringify(login)}`,
    ]
    return sandbox.writeSpec(outSpec(sandbox.guest, network, more))
  }
  const apply = (spec: string) => applySpec(sandbox, spec)
  const address = async (name: string) => (await sandbox.json('address', name)).data
  const pings = (name: string, peer: string) => guests.pings(name, peer)

  it('are applied, and a second time nothing changes', async () => {
    await apply(write(fullNetwork))
    const { stdout } = sandbox.libvirtd.virsh('list', '--name')
    assert.deepEqual(stdout.split('\n').filter(Boolean).sort(), ['out.one', 'out.two_2'])
    await guests.meet(sandbox)
    assert.equal(dnsmasqs(sandbox).length, 1)
    assert.deepEqual(await apply(write(fullNetwork)), [])
  })

  it('get addresses and names, and reach each other, the host and beyond', async () => {
    const [one, two] = await Promise.all(['one', 'two_2'].map((name) => readOwnAddress(guests.of(name))))
    assert.match(one ?? '', /^192\.168\.79\.(12[89]|1[3-9]\d|2\d\d)\/24$/)
    assert.equal(two, '192.168.79.20/24')
    const found = await address('one')
    assert.deepEqual([`${found.address}/24`, found.source], [one, 'lease'])
    for (const peer of ['two-2.lab.internal', '192.168.79.1', beyondAddress])
      assert.equal(await pings('one', peer), 3, peer)
  })

  it('are found by their agents where the host has met nobody, and logged in to there', async () => {
    const leased = (await address('one')).address
    assert.deepEqual(await apply(write('mtu: 1500')), ['stop-dhcp lan', 'delete-nat lan'])
    const tap = /vk[0-9a-f]{6}-lan/.exec(ip('-n', host, 'link'))?.[0] ?? ''
    await serveLogins(guests.of('one'))
    await startAgent(guests.of('one'))
    ip('-n', host, 'neigh', 'flush', 'dev', tap)
    const found = await address('one')
    assert.deepEqual([found.address, found.source, found.user], [leased, 'agent', 'admin'])
    const words = ['ssh', 'one', '--identity', key(), '--', 'echo', '$USER', '$SSH_CONNECTION;', 'exit', '7']
    const { exitCode, stdout, stderr } = await startCli(words, sandbox.env, insideProgram).result
    assert.equal(exitCode, 7, stderr)
    assert.match(stdout, new RegExp(`^admin 192\\.168\\.79\\.1 \\d+ ${leased} 22\n$`))
    // An agent that has ended answers no more, and the host has met the machine by now.
    await guests.of('one').run('kill $(cat /run/qemu-ga.pid)')
    assert.equal((await address('one')).source, 'neighbour')
  })

  it('are destroyed, and rules, forwarding, links and dnsmasq are as before', async () => {
    assert.deepEqual(await apply(write(fullNetwork)), ['start-dhcp lan', 'set-nat lan'])
    assert.equal(await pings('two_2', beyondAddress), 3)
    guests.close()
    const { exitCode, data } = await sandbox.json('destroy', 'out', '--grace', '0')
    assert.equal(exitCode, 0, JSON.stringify(data))
    assert.equal(sandbox.libvirtd.virsh('list', '--all', '--name').stdout.trim(), '')
    assert.deepEqual(lookAtNetwork(sandbox), was)
    assert.equal(existsSync(join(sandbox.run, 'networks/out.lan')), false)
    for (const left of ['forwarding.json', 'ssh/out.known_hosts'])
      assert.equal(existsSync(join(sandbox.state, left)), false, left)
  })
})
