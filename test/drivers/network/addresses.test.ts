import assert from 'node:assert/strict'
import type { MachineArtifact } from '../../../src/core/render/artifacts.js'
import { renderSshArgv } from '../../../src/core/render/ssh-argv.js'
import { parseAgentAddresses, readAgentAddresses } from '../../../src/drivers/network/guest-agent.js'
import { parseHostKeyRefusal } from '../../../src/drivers/network/host-key.js'
import { parseAnswers, parseNeighbours } from '../../../src/drivers/network/neighbours.js'
import { runAttached } from '../../../src/world/run-program.js'
import { serveLines } from '../line-server.js'

describe('addresses of machines', () => {
  it('neighbours: IPv4 first, what the kernel is sure of first, without those that failed', () => {
    const text = JSON.stringify([
      { dst: 'fe80::5054:ff:fe12:3456', lladdr: '52:54:00:12:34:56', state: ['REACHABLE'] },
      { dst: '192.168.77.9', lladdr: '52:54:00:12:34:56', state: ['STALE'] },
      { dst: '192.168.77.8', lladdr: '52:54:00:12:34:57', state: ['FAILED'] },
      { dst: '192.168.77.7', state: ['INCOMPLETE'] },
      { dst: '-oProxyCommand=x', lladdr: '52:54:00:12:34:56', state: ['REACHABLE'] },
      { dst: '192.168.77.10', lladdr: '52:54:00:12:34:58', state: ['REACHABLE'] },
    ])
    assert.deepEqual(parseNeighbours(text), [
      { address: '192.168.77.10', mac: '52:54:00:12:34:58' },
      { address: '192.168.77.9', mac: '52:54:00:12:34:56' },
      { address: 'fe80::5054:ff:fe12:3456', mac: '52:54:00:12:34:56' },
    ])
    assert.deepEqual(parseNeighbours(''), [])
  })

  it('who answered a ping of all, each once', () => {
    const text = [
      'PING ff02::1(ff02::1) from :: vk84a1c3-lan: 56 data bytes',
      '64 bytes from fe80::3812:11ff:fe04:3a8e%vk84a1c3-lan: icmp_seq=1 ttl=64 time=0.051 ms',
      '64 bytes from fe80::5054:ff:fe71:4aa1%vk84a1c3-lan: icmp_seq=1 ttl=64 time=1.3 ms (DUP!)',
      '64 bytes from fe80::3812:11ff:fe04:3a8e%vk84a1c3-lan: icmp_seq=2 ttl=64 time=0.053 ms',
    ].join('\n')
    assert.deepEqual(parseAnswers(text), ['fe80::3812:11ff:fe04:3a8e', 'fe80::5054:ff:fe71:4aa1'])
  })

  const links = [
    { name: 'lo', 'ip-addresses': [{ 'ip-address': '127.0.0.1' }] },
    {
      name: 'eth0',
      'hardware-address': '52:54:00:AA:bb:01',
      'ip-addresses': [
        { 'ip-address': '-oProxyCommand=x' },
        { 'ip-address': 7 },
        { 'ip-address': '10.0.0.5' },
      ],
    },
  ]
  const found = [{ address: '10.0.0.5', mac: '52:54:00:aa:bb:01' }]

  it('guest agent: addresses and nothing else, whatever it says', () => {
    assert.deepEqual(parseAgentAddresses({ return: links }), found)
    for (const answer of [null, 7, {}, { return: {} }, { return: [null, 7, { 'hardware-address': 1 }] }])
      assert.deepEqual(parseAgentAddresses(answer), [])
  })

  it('guest agent: asked behind a number, and given up when it is silent', async () => {
    const agent = await serveLines(({ execute, arguments: words }, send) => {
      if (execute === 'guest-sync') {
        send({ return: [{ 'hardware-address': 'of an earlier question' }] })
        send({ return: (words as { id: number }).id })
      } else send({ return: links })
    })
    const silent = await serveLines(() => undefined)
    const machine = { name: 'vm1' } as MachineArtifact
    try {
      assert.deepEqual(await readAgentAddresses(machine, agent.path), found)
      assert.deepEqual(await readAgentAddresses(machine, silent.path), [])
      assert.deepEqual(await readAgentAddresses(machine, '/nowhere'), [])
    } finally {
      await agent.close()
      await silent.close()
    }
  })

  it('ssh is told of an own file of keys, under the name of the machine', () => {
    const argv = renderSshArgv({
      address: '192.168.77.9',
      user: 'admin',
      identity: null,
      knownHosts: '/var/lib/my "vms"/100%/ssh/pair.known_hosts',
      alias: 'pair.vm1',
      command: ['ls', '-l', '; reboot'],
    })
    assert.deepEqual(argv.slice(0, 3), [
      'ssh',
      '-o',
      'UserKnownHostsFile="/var/lib/my \\"vms\\"/100%%/ssh/pair.known_hosts"',
    ])
    assert.deepEqual(argv.slice(-7), ['-l', 'admin', '--', '192.168.77.9', 'ls', '-l', '; reboot'])
    assert.ok(argv.includes('StrictHostKeyChecking=accept-new') && argv.includes('HostKeyAlias=pair.vm1'))
    const target = { address: '::1', user: null, knownHosts: '/k', alias: 'a.b', command: [] }
    const other = renderSshArgv({ ...target, identity: '/keys/id' })
    assert.deepEqual(other.slice(-4), ['-i', '/keys/id', '--', '::1'])
    assert.ok(other.includes('IdentitiesOnly=yes') && !argv.includes('IdentitiesOnly=yes'))
  })

  it('ssh: a refused host key, and what only looks like one', () => {
    const words = 'WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!'
    const line = '@'.repeat(59)
    assert.equal(parseHostKeyRefusal(`${line}\r\n@    ${words}     @\r\n${line}\r\n`), true)
    assert.equal(parseHostKeyRefusal(`@ WARNING: POSSIBLE DNS SPOOFING DETECTED! @\n`), false)
    assert.equal(parseHostKeyRefusal('admin@192.168.77.9: Permission denied (publickey).\r\n'), false)
  })

  it('a program run in our place has its exit code, also when a signal ends it', async () => {
    assert.equal(await runAttached(['sh', '-c', 'exit 42']), 42)
    assert.equal(await runAttached(['sh', '-c', 'kill -TERM $$']), 143)
    await assert.rejects(runAttached(['/nowhere/ssh']), { code: 'program-failed' })
  })
})
