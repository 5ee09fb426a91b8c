import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { guestCmdline } from '../../../src/demo/guest/cmdline.js'
import { makeGuest } from '../../../src/demo/guest/guest.js'
import { GuestSession } from '../../../src/demo/guest/guest-session.js'
import { lookAtHost, testFolderPrefix } from '../host-state.js'
import { addPlainUser } from '../plain-user.js'
import { sendSignal } from '../send-signal.js'
import { requireLibvirt, until } from './libvirtd.js'

const user = `vkses-${process.pid}`

/** The daemon that libvirt starts for a user who asks, with its files below XDG_RUNTIME_DIR. */
describe("libvirt's session instance, for a user without rights", function () {
  this.timeout(180_000)
  let untouched: ReturnType<typeof lookAtHost>
  let base = ''
  let uid = 0
  let holder: ChildProcess | undefined
  const sessions: GuestSession[] = []

  before(async function () {
    requireLibvirt(this)
    untouched = lookAtHost()
    uid = addPlainUser(user).uid
    base = mkdtempSync(join(tmpdir(), testFolderPrefix.slice(1)))
    chmodSync(base, 0o755)
    const image = await makeGuest(process.cwd(), () => undefined, new AbortController().signal)
    for (const [name, from] of [
      ['vmlinuz', image.kernel],
      ['initrd.gz', image.initrd],
    ] as const) {
      copyFileSync(from, join(base, name))
      chmodSync(join(base, name), 0o644)
    }
    for (const name of ['home', 'rt', 'checkout']) {
      mkdirSync(join(base, name), { mode: name === 'rt' ? 0o700 : 0o755 })
      if (name !== 'checkout') chownSync(join(base, name), uid, uid)
    }
    writeFileSync(join(base, 'spec.yaml'), spec(''))
    chmodSync(join(base, 'spec.yaml'), 0o644)
    holder = await showCheckout(join(base, 'checkout'))
  })
  after(async () => {
    for (const session of sessions) session.close()
    if (base === '') return
    run('destroy', 'ses', '--grace', '0')
    run('switch', 'stop')
    for (const name of ['libvirtd', 'virtlogd']) await endDaemon(join(base, 'rt/libvirt', `${name}.pid`))
    holder?.stdin?.end()
    if (holder !== undefined) await once(holder, 'exit')
    execFileSync('userdel', [user])
    rmSync(base, { recursive: true })
    assert.deepEqual(lookAtHost(), untouched)
  })

  function spec(more: string): string {
    const machine = (name: string, last: number) =>
      `  - { name: ${name}, memory: 128M, interfaces: [lan], boot: { kernel: ${base}/vmlinuz, initrd: ${base}/initrd.gz, cmdline: ${guestCmdline} vhostkit.ip=192.168.78.${last}/24 } }`
    const lines = [
      'version: 1',
      'name: ses',
      'driver: libvirt',
      "hugepages: 'off'",
      'networks: [{ name: lan }]',
      'machines:',
    ]
    return [...lines, machine('one', 11), machine('two', 12), more, ''].join('\n')
  }

  /** As the user, with an environment of his own, in the namespace where he can read the checkout. */
  function asUser(...argv: string[]) {
    const env = [
      `HOME=${base}/home`,
      `XDG_RUNTIME_DIR=${base}/rt`,
      'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
      'LC_ALL=C',
    ]
    const enter = [`--mount=/proc/${holder?.pid}/ns/mnt`, `--wdns=${base}`, '--']
    return spawnSync('nsenter', [...enter, 'runuser', '-u', user, '--', 'env', '-i', ...env, ...argv], {
      encoding: 'utf8',
      timeout: 90_000,
    })
  }
  function run(...args: string[]) {
    const launcher = `${base}/checkout/bin/vhostkit.js`
    const { status, stdout, stderr } = asUser(process.execPath, launcher, ...args, '--json')
    assert.notEqual(stdout, '', stderr)
    return { exitCode: status, data: JSON.parse(stdout) as Record<string, unknown> }
  }
  const virsh = (...args: string[]) => asUser('virsh', '-q', '-c', 'qemu:///session', ...args)
  const boot = async (name: string) => {
    const folder = join(base, 'rt/vhostkit/machines', `ses.${name}`)
    const log = join(folder, 'console.log')
    await until(
      `the guest of ${name}`,
      60_000,
      () => existsSync(log) && /^@ready/m.test(readFileSync(log, 'latin1')),
    )
    const session = await GuestSession.connect(
      name,
      join(folder, 'console.sock'),
      new AbortController().signal,
    )
    await session.answers()
    sessions.push(session)
    return session
  }

  it('runs a deployment without a word of which libvirt, and its guests reach each other', async () => {
    const { exitCode, data } = run('apply', join(base, 'spec.yaml'))
    assert.equal(exitCode, 0, JSON.stringify(data))
    assert.deepEqual(virsh('list', '--name').stdout.split('\n').filter(Boolean).sort(), [
      'ses.one',
      'ses.two',
    ])
    const status = run('status').data as unknown as {
      deployments: { machines: { pid: number }[] }[]
      switch: { pid: number }
    }
    const pids = [...(status.deployments[0]?.machines.map(({ pid }) => pid) ?? []), status.switch.pid]
    assert.deepEqual(
      pids.map((pid) => statSync(`/proc/${pid}`).uid),
      [uid, uid, uid],
    )
    const [one] = [await boot('one'), await boot('two')]
    assert.equal((await one.ping('192.168.78.12', 5, 0.2)).received, 5)
    assert.equal(run('apply', join(base, 'spec.yaml')).data.changed, false)
    assert.equal(run('doctor', 'ses.one').data.error, undefined)
  })

  it('is what the deployment stays with: another libvirt is refused, and changes nothing', () => {
    const before = virsh('dumpxml', 'ses.one').stdout
    for (const words of [
      ['--connect', 'qemu:///system'],
      ['--driver', 'qemu'],
    ]) {
      const { exitCode, data } = run('apply', join(base, 'spec.yaml'), ...words)
      assert.deepEqual([exitCode, (data.error as { code: string }).code], [1, 'deployment-elsewhere'])
    }
    assert.equal(virsh('dumpxml', 'ses.one').stdout, before)
  })

  it('is where --connect leads, in each command that has it', () => {
    // A socket that is not there: a command that asked another libvirt would find the domain.
    const nowhere = ['--connect', `qemu+unix:///session?socket=${base}/nowhere`]
    for (const words of [
      ['doctor', 'ses.one'],
      ['accelerate', 'ses.one', '--dry-run'],
      ['restore', 'ses.one'],
      ['interface', 'attach', 'ses.one', 'lan'],
      ['interface', 'detach', 'ses.one', 'lan'],
    ]) {
      const { data } = run(...words, ...nowhere)
      assert.equal((data.error as { code: string }).code, 'libvirt-unreachable', words.join(' '))
    }
  })

  it('stops, starts and is destroyed, and nothing is left', () => {
    assert.equal(run('stop', 'ses', 'two', '--grace', '0').exitCode, 0)
    assert.equal(run('start', 'ses', 'two').exitCode, 0)
    assert.equal(run('destroy', 'ses', '--grace', '0').exitCode, 0)
    assert.equal(virsh('list', '--all', '--name').stdout.trim(), '')
  })
})

/** A checkout below somebody's home is shown where the user may read it; the holder ends with us. */
async function showCheckout(at: string): Promise<ChildProcess> {
  const script = 'mount --bind "$1" "$2" && echo ready && exec cat'
  const holder = spawn(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-e', '-c', script, 'sh', process.cwd(), at],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const ended = once(holder, 'exit').then(() => {
    throw new Error('the mount namespace could not be made')
  })
  ended.catch(() => undefined)
  await Promise.race([once(holder.stdout as NonNullable<typeof holder.stdout>, 'data'), ended])
  return holder
}

async function endDaemon(pidFile: string): Promise<void> {
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8'))
  if (!existsSync(`/proc/${pid}`)) return
  sendSignal(pid, 'SIGTERM')
  await until(`${pidFile} to end`, 15_000, () => !existsSync(`/proc/${pid}`))
}
