import assert from 'node:assert/strict'
import { PlayTraffic } from './play-traffic.js'
import { SystemdJail } from './systemd-jail.js'

const unitName = 'vhostkit-switch.service'

describe('the switch under a real systemd', function () {
  this.timeout(180_000)
  const jail = new SystemdJail()
  before(() => jail.start())
  after(() => jail.end())

  const json = async (...words: string[]) => {
    const { exitCode, stdout, stderr } = await jail.vhostkit(...words, '--json')
    return { exitCode, data: JSON.parse(stdout === '' ? '{}' : stdout) as Record<string, unknown>, stderr }
  }
  const done = async (...words: string[]) => {
    const { exitCode, data, stderr } = await json(...words)
    assert.equal(exitCode, 0, `${words.join(' ')}: ${JSON.stringify(data)} ${stderr}`)
    return data
  }
  const shell = async (script: string) => {
    const { exitCode, stdout, stderr } = await jail.run('sh', '-ec', script)
    assert.equal(exitCode, 0, `${script}: ${stderr}`)
    return stdout.trim()
  }
  /** A spec of one machine, which boots nothing, in /root. */
  const write = (name: string, theSwitch = '{}') => {
    const machine =
      '{name: vm, memory: 64M, hugepages: off, boot: disk, disks: [{size: 16M}], interfaces: [lan]}'
    const spec = `{version: 1, name: ${name}, switch: ${theSwitch}, networks: [{name: lan}], machines: [${machine}]}`
    return shell(`echo '${spec}' > /root/${name}.yaml`)
  }
  const status = async () => (await done('switch', 'status')) as unknown as Status
  const show = (property: string) => shell(`systemctl show -P ${property} ${unitName}`)

  it('takes over from our own supervisor, and is written once', async () => {
    await done('switch', 'start')
    assert.deepEqual((await status()).supervision, { by: 'vhostkit', unit: null })
    const first = await done('switch', 'install')
    assert.deepEqual(actionsOf(first), ['write', 'write', 'write'])
    const second = await done('switch', 'install')
    assert.deepEqual([actionsOf(second), second.changed], [['same', 'same', 'same'], false])
    await done('switch', 'restart')
    const { supervision, service } = await status()
    assert.deepEqual([supervision, service], [{ by: 'systemd', unit: unitName }, { watchdog_ms: 10_000 }])
    assert.equal(await show('StatusText'), 'serving, 0 ports came back')
  })

  it('goes on when the last deployment is destroyed: its life is systemd’s', async () => {
    await write('last')
    const { pid } = await status()
    await done('apply', '/root/last.yaml')
    const destroyed = await done('destroy', 'last', '--disks', '--grace', '0')
    assert.ok((destroyed.steps as string[]).includes('stop-machine vm'))
    assert.deepEqual([(await status()).pid, await show('ActiveState')], [pid, 'active'])
  })

  it('has no right that it could lose, and serves a tap', async () => {
    const { pid } = await status()
    const rights = await shell(`grep -E '^(Uid|CapBnd|CapEff|NoNewPrivs|Seccomp):' /proc/${pid}/status`)
    const user = await shell('id -u vhostkit')
    assert.match(rights, new RegExp(`^Uid:\\t${user}\\t${user}\\t`, 'm'))
    for (const line of [
      'CapBnd:\t0000000000000000',
      'CapEff:\t0000000000000000',
      'NoNewPrivs:\t1',
      'Seccomp:\t2',
    ]) {
      assert.ok(rights.includes(line), `${line} in ${rights}`)
    }
    await shell('ip tuntap add dev vkj0 mode tap vnet_hdr && ip link set vkj0 up')
    await call('port.add', { name: 'tap', kind: 'tap', network: 'lan', ifname: 'vkj0' })
    assert.equal((await portsOf()).find(({ name }) => name === 'tap')?.state, 'up')
  })

  it('reaches the sockets of a QEMU of another user, and loses no frame in restarts', async () => {
    // What the hook and `apply` do for a machine of that user: its folder has the group of the switch.
    await shell(
      'mkdir -m 750 /run/vhostkit/machines/vm && chown 65534 /run/vhostkit/machines/vm && chmod 2750 /run/vhostkit/machines/vm',
    )
    const sockets = ['one', 'two'].map((name) => `/run/vhostkit/machines/vm/${name}`)
    const words = jail.command(
      'setpriv',
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      'sh',
      '-c',
      'umask 002; exec "$@"',
      'sh',
    )
    const traffic = new PlayTraffic(sockets, [...words, jail.traffic])
    try {
      await traffic.line('listening')
      for (const socket of sockets) {
        await call('port.add', { name: socket.slice(-3), kind: 'vhost-user', network: 'lan', socket })
      }
      await traffic.line('flowing')
      const gaps: string[] = []
      for (let round = 0; round < 2; round++) {
        await traffic.ask('begin', 'begun')
        await done('switch', 'restart')
        const { gap_ns = 0, repeated, corrupt } = await traffic.ask('figures', 'gap_ns')
        gaps.push((gap_ns / 1e6).toFixed(1))
        assert.deepEqual([repeated, corrupt], [0, 0])
      }
      console.log(`      restarts by systemd: without a frame for ${gaps.join(', ')} ms`)
      await watchdogBites(traffic)
      await done('switch', 'uninstall')
      assert.deepEqual((await status()).supervision, { by: 'vhostkit', unit: null })
      const { received } = await traffic.end()
      console.log(`      ${received} frames, 0 lost`)
    } finally {
      traffic.kill()
    }
  })

  /** A switch that hangs is fed no longer; systemd ends it and starts another. One that crashed is our supervisor's. */
  async function watchdogBites(traffic: PlayTraffic): Promise<void> {
    const crashed = (await status()).pid
    await shell(`kill -KILL ${crashed}`)
    await traffic.ask('figures', 'gap_ns')
    assert.notEqual((await status()).pid, crashed)
    assert.equal(await show('NRestarts'), '0')
    await shell(
      `mkdir /etc/systemd/system/${unitName}.d && printf '[Service]\\nWatchdogSec=1\\n' > /etc/systemd/system/${unitName}.d/soon.conf && systemctl daemon-reload`,
    )
    await done('switch', 'restart')
    const { pid, service } = await status()
    assert.equal(service?.watchdog_ms, 1000)
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    assert.deepEqual([await show('NRestarts'), (await status()).pid], ['0', pid], 'fed, it goes on')
    await shell(`kill -STOP ${pid}`)
    await traffic.ask('figures', 'gap_ns')
    assert.equal(await show('NRestarts'), '1')
    assert.notEqual((await status()).pid, pid)
  }

  it('is what the hook of libvirt starts, and its machine folder is opened to it', async () => {
    await done('switch', 'install')
    await done('hooks', 'install', '--hooks-dir', '/etc/libvirt/hooks')
    await done('switch', 'restart')
    await done('switch', 'stop')
    assert.equal(await show('ActiveState'), 'inactive')
    await shell(`printf '%s' '${domain}' > /root/domain.xml`)
    assert.deepEqual(await hook('prepare'), { exitCode: 0, stderr: '' })
    assert.equal(await show('ActiveState'), 'active')
    assert.deepEqual((await status()).supervision, { by: 'systemd', unit: unitName })
    assert.deepEqual(await portsOfDomains(), ['libvirt.vm9.net0'])
    const qemu = (JSON.parse(await shell('cat /var/lib/vhostkit/hooks.json')) as { uid: number | null }).uid
    assert.equal(await shell('stat -c "%u %G %a" /run/vhostkit/machines/vm9'), `${qemu ?? 0} vhostkit 2750`)
    assert.deepEqual(await hook('release'), { exitCode: 0, stderr: '' })
    assert.deepEqual(await portsOfDomains(), [])
    await shell('! ls /run/vhostkit/machines/vm9 /var/lib/vhostkit/domains/*.json')
  })

  it('that cannot start ends the start of a domain within 3 s, with one line that says where to look', async () => {
    await shell('systemctl stop vhostkit-switch')
    await shell(
      `mkdir -p /etc/systemd/system/${unitName}.d && printf '[Service]\\nExecStartPre=/bin/false\\nRestart=no\\n' > /etc/systemd/system/${unitName}.d/broken.conf && systemctl daemon-reload`,
    )
    const begin = performance.now()
    const { exitCode, stderr } = await hook('prepare')
    const ms = Math.round(performance.now() - begin)
    console.log(`      refused within ${ms} ms`)
    assert.equal(exitCode, 1)
    assert.match(
      stderr,
      /^vhostkit: systemctl start vhostkit-switch.service failed: [^\n]*journalctl[^\n]*\n$/,
    )
    assert.ok(ms < 3_000, `${ms} ms`)
    assert.deepEqual(await hook('release'), { exitCode: 0, stderr: '' })
    await shell('! ls /run/vhostkit/machines/vm9 /var/lib/vhostkit/domains/*.json')
    await shell(`rm -r /etc/systemd/system/${unitName}.d && systemctl daemon-reload`)
    await done('hooks', 'uninstall')
    await done('switch', 'uninstall')
  })

  it('runs as the user whom a spec names, and refuses to become another', async () => {
    await done('switch', 'stop')
    await shell('useradd --system --user-group nets && useradd --system --gid nets other')
    await write('own', '{user: nets}')
    await done('apply', '/root/own.yaml')
    await done('switch', 'install')
    await done('switch', 'restart')
    const { pid, supervision } = await status()
    assert.equal(supervision.by, 'systemd')
    assert.equal(await shell(`stat -c %U /proc/${pid}`), 'nets')
    assert.equal(await shell('stat -c "%U %G %a" /run/vhostkit'), 'root nets 1771')
    assert.deepEqual((await done('apply', '/root/own.yaml')).steps, [])
    // Of another user the unit could start none.
    await done('switch', 'stop')
    await write('own', '{user: other}')
    const { exitCode, data } = await json('apply', '/root/own.yaml')
    assert.deepEqual([exitCode, (data.error as { code: string }).code], [4, 'service-refused'])
    assert.equal(await show('ActiveState'), 'inactive')
    await done('destroy', 'own', '--disks', '--grace', '0')
    await done('switch', 'uninstall')
  })

  it('leaves what others wrote', async () => {
    await shell(
      `! ls /etc/systemd/system/${unitName} /etc/sysusers.d/vhostkit.conf /etc/tmpfiles.d/vhostkit.conf`,
    )
    await shell(`printf '[Unit]\\n' > /etc/systemd/system/${unitName}`)
    const { exitCode, data } = await json('switch', 'install')
    assert.deepEqual([exitCode, (data.error as { code: string }).code], [4, 'service-refused'])
    assert.equal(await shell(`cat /etc/systemd/system/${unitName}`), '[Unit]')
    await done('switch', 'stop')
  })

  /** As libvirt calls it. */
  const hook = async (operation: string) => {
    const script = `/etc/libvirt/hooks/qemu.d/50-vhostkit vm9 ${operation} begin - < /root/domain.xml`
    const { exitCode, stderr } = await jail.run('sh', '-c', script)
    return { exitCode, stderr }
  }
  const call = async (method: string, params: object) => {
    const request = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const script = `const s=require('net').connect('/run/vhostkit/switch.sock',()=>s.write(process.argv[1]+'\\n'));s.on('data',(d)=>{console.log(String(d));s.end()})`
    const answer = await jail.run('/opt/vhostkit-jail/node', '-e', script, request)
    assert.match(answer.stdout, /"result"/, answer.stdout + answer.stderr)
  }
  const portsOfDomains = async () =>
    (await portsOf()).map(({ name }) => name).filter((name) => name.startsWith('libvirt.'))
  const portsOf = async () => (await done('switch', 'ports')).ports as { name: string; state: string }[]
})

const domain = [
  '<domain type="qemu"><name>vm9</name><uuid>00000000-0000-4000-8000-000000000009</uuid><devices>',
  '<interface type="vhostuser"><mac address="52:54:00:00:00:09"/>',
  '<source type="unix" path="/run/vhostkit/machines/vm9/net0.sock" mode="server"/></interface></devices></domain>',
].join('')

interface Status {
  pid: number
  supervision: { by: string; unit: string | null }
  service: { watchdog_ms: number } | null
}

function actionsOf(data: Record<string, unknown>): string[] {
  return (data.files as { action: string }[]).map(({ action }) => action)
}
