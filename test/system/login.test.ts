import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { guestCmdline } from '../../src/demo/guest/cmdline.js'
import { makeGuest } from '../../src/demo/guest/guest.js'
import { GuestSession } from '../../src/demo/guest/guest-session.js'
import { changeHostKey, loginPrograms, serveLogins, startAgent } from './guest-login.js'
import { addPrograms } from './guest-programs.js'
import { lookAtHost, requireRoot } from './host-state.js'
import { startCli } from './run-cli.js'
import { makeSandbox, type Sandbox } from './sandbox.js'

/** The real ssh from the command line to a real server in a guest. */
describe('a login to a machine', function () {
  this.timeout(150_000)
  let sandbox: Sandbox
  let untouched: ReturnType<typeof lookAtHost>
  let guest: GuestSession

  before(async function () {
    requireRoot(this)
    untouched = lookAtHost()
    sandbox = await makeSandbox('off')
    const { base } = sandbox
    for (const name of ['id', 'other']) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', join(base, name)])
    }
    const image = await makeGuest(process.cwd(), () => undefined, new AbortController().signal)
    const initrd = join(base, 'initrd.gz')
    await addPrograms(image.initrd, initrd, loginPrograms)
    const cmdline = `${guestCmdline} vhostkit.ip=192.168.78.11/24`
    const spec = sandbox.writeSpec(
      JSON.stringify({
        version: 1,
        name: 'login',
        hugepages: 'off',
        'cloud-init': { user: 'admin', 'ssh-keys': [readFileSync(join(base, 'id.pub'), 'utf8').trim()] },
        networks: [{ name: 'lan', host: '192.168.78.1/24' }],
        machines: [
          {
            name: 'one',
            memory: '160M',
            boot: { kernel: image.kernel, initrd, cmdline },
            interfaces: ['lan'],
          },
        ],
      }),
    )
    const { exitCode, data } = await sandbox.json('apply', spec)
    assert.equal(exitCode, 0, JSON.stringify(data))
    const booted = await sandbox.json('console', 'one', '--until', '^@ready', '--for', '90')
    assert.equal(booted.data.ended, 'matched', JSON.stringify(booted.data))
    const socket = join(sandbox.run, 'machines/login.one/console.sock')
    guest = await GuestSession.connect('one', socket, new AbortController().signal)
    await guest.answers()
    await serveLogins(guest)
  })
  after(async () => {
    guest?.close()
    await sandbox?.json('destroy', 'login', '--grace', '0').catch(() => undefined)
    sandbox?.remove()
    assert.deepEqual(lookAtHost(), untouched)
  })

  const words = (key: string, more: string[]) => [
    'ssh',
    'one',
    '--identity',
    join(sandbox.base, key),
    ...more,
  ]
  const login = (command: string[], input = '', key = 'id') =>
    startCli(words(key, ['--', ...command]), sandbox.env, undefined, input).result
  const address = async () => (await sandbox.json('address', 'one')).data
  const tap = () => lookAtHost().taps.find((name) => !untouched.taps.includes(name)) ?? ''
  const keysFile = () => join(sandbox.state, 'ssh/login.known_hosts')

  it('goes to the address that the host has met, as the user of the seed', async () => {
    assert.equal((await guest.ping('192.168.78.1', 1, 1)).received, 1)
    const found = await address()
    assert.deepEqual([found.address, found.source, found.user], ['192.168.78.11', 'neighbour', 'admin'])
    const { exitCode, stdout, stderr } = await login(['echo', '$USER', '$SSH_CONNECTION;', 'id', '-u'])
    assert.equal(exitCode, 0, stderr)
    assert.match(stdout, /^admin 192\.168\.78\.1 \d+ 192\.168\.78\.11 22\n1000\n$/)
  })

  it('passes input, output, errors and the exit code through', async () => {
    const { exitCode, stdout, stderr } = await login(['cat; echo wrong >&2; exit 7'], 'a line\n')
    assert.deepEqual([exitCode, stdout], [7, 'a line\n'], stderr)
    assert.match(stderr, /^wrong$/m)
    const failed = await login(['exit 255'])
    assert.deepEqual([failed.exitCode, /vhostkit:/.test(failed.stderr)], [255, false], failed.stderr)
  })

  it('gives a shell at a terminal', async () => {
    const argv = [process.execPath, 'bin/vhostkit.js', ...words('id', [])].join(' ')
    const run = startCli(['-qec', argv, '/dev/null'], sandbox.env, ['script'])
    await run.line(/\$ /, 'stdout')
    run.child.stdin?.write('tty; expr 6 \\* 9\n')
    await run.line(/^\/dev\/pts\/\d+\r?\n54\r?$/m, 'stdout')
    run.child.stdin?.end('exit 3\n')
    const { exitCode, stdout } = await run.result
    assert.equal(exitCode, 3, stdout)
  })

  it('tries the key that is named, and no other', async () => {
    const { exitCode, stderr } = await login(['true'], '', 'other')
    assert.deepEqual([exitCode, /Permission denied/.test(stderr)], [255, true], stderr)
    assert.doesNotMatch(stderr, /vhostkit:/)
    const missing = await login(['true'], '', 'nowhere')
    assert.deepEqual([missing.exitCode, /nowhere does not exist/.test(missing.stderr)], [2, true])
  })

  it('finds a machine without any IPv4 address', async () => {
    await guest.run('ifconfig eth0 0.0.0.0')
    execFileSync('ip', ['neigh', 'flush', 'dev', tap()])
    assert.match(String((await address()).address), new RegExp(`^fe80:.*%${tap()}$`))
    const { exitCode, stdout, stderr } = await login(['echo', '$SSH_CONNECTION'])
    assert.equal(exitCode, 0, stderr)
    assert.match(stdout, /^fe80:\S+ \d+ fe80:\S+ 22\n$/)
  })

  it('asks the guest agent when the host has met nobody', async () => {
    await guest.run('ifconfig eth0 192.168.78.12')
    execFileSync('ip', ['neigh', 'flush', 'dev', tap()])
    await startAgent(guest)
    const found = await address()
    assert.deepEqual([found.address, found.source], ['192.168.78.12', 'agent'])
    const { exitCode, stdout, stderr } = await login(['echo', '$SSH_CONNECTION'])
    assert.equal(exitCode, 0, stderr)
    assert.match(stdout, /^192\.168\.78\.1 \d+ 192\.168\.78\.12 22\n$/)
  })

  it('refuses another host key, and says how to forget the old one', async () => {
    const before = readFileSync(keysFile(), 'utf8')
    await changeHostKey(guest)
    const refused = await login(['echo', 'inside'])
    assert.deepEqual([refused.exitCode, refused.stdout], [255, ''], refused.stderr)
    assert.match(refused.stderr, /^vhostkit: login\/one has another host key .*\[host-key-changed\]$/m)
    assert.equal(readFileSync(keysFile(), 'utf8'), before)
    const hint = /ssh-keygen -f '(\S+)' -R (\S+)\./.exec(refused.stderr) ?? assert.fail(refused.stderr)
    assert.equal(hint[1], keysFile())
    execFileSync('ssh-keygen', ['-f', hint[1] ?? '', '-R', hint[2] ?? ''], { stdio: 'pipe' })
    const { exitCode, stdout, stderr } = await login(['echo', 'inside'])
    assert.deepEqual([exitCode, stdout], [0, 'inside\n'], stderr)
    assert.notEqual(readFileSync(keysFile(), 'utf8'), before)
  })

  it('leaves no keys behind', async () => {
    guest.close()
    const { exitCode, data } = await sandbox.json('destroy', 'login', '--grace', '0')
    assert.deepEqual([exitCode, existsSync(keysFile())], [0, false], JSON.stringify(data))
  })
})
