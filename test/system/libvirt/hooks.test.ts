import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Artifacts } from '../../../src/core/render/artifacts.js'
import { percentile } from '../../../src/demo/percentile.js'
import { lookAtHost } from '../host-state.js'
import { sendSignal } from '../send-signal.js'
import { type DomainSandbox, makeDomainSandbox } from './domain-sandbox.js'
import { requireLibvirt, until } from './libvirtd.js'

/** VHOSTKIT_HOOKS=100 for a p99 that means something: each takes half a second on a busy host. */
const calls = Number(process.env.VHOSTKIT_HOOKS ?? 20)

describe('the hook of libvirt', function () {
  this.timeout(150_000)
  let sandbox: DomainSandbox
  let untouched: ReturnType<typeof lookAtHost>
  let artifacts: Artifacts
  let definition = ''

  before(async function () {
    requireLibvirt(this)
    untouched = lookAtHost()
    sandbox = await makeDomainSandbox()
    artifacts = (await sandbox.json('render', sandbox.spec)).data as unknown as Artifacts
  })
  after(async () => {
    await sandbox?.json('switch', 'stop').catch(() => undefined)
    await sandbox?.end()
    assert.deepEqual(lookAtHost(), untouched)
  })

  const domainOf = (name: string) => artifacts.machines.find((machine) => machine.name === name)?.domain
  const define = (name: string, change: (xml: string) => string = (xml) => xml) => {
    const path = join(sandbox.base, `${name}.xml`)
    writeFileSync(path, change(domainOf(name)?.xml ?? ''))
    const { status, stderr } = sandbox.libvirtd.virsh('define', path)
    assert.equal(status, 0, stderr)
  }
  const ports = async () =>
    ((await sandbox.json('status')).data.ports as { name: string; state: string }[]).map(({ name }) => name)
  const records = () => {
    const folder = join(sandbox.state, 'domains')
    return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : []
  }
  /** Runs the drop-in as libvirt would. */
  const callHook = (operation: string, subOperation: string, xml: string) =>
    spawnSync(join(sandbox.libvirtd.hooks, 'qemu.d/50-vhostkit'), ['a name', operation, subOperation, '-'], {
      input: xml,
      encoding: 'utf8',
      cwd: '/',
      env: {},
    })

  it('is installed beside those of others, and says that libvirtd does not see it yet', async () => {
    mkdirSync(join(sandbox.libvirtd.hooks, 'qemu.d'), { recursive: true })
    const other = join(sandbox.libvirtd.hooks, 'qemu.d/README')
    writeFileSync(other, 'of somebody else\n')
    const { exitCode, data } = await sandbox.json('hooks', 'install', '--hooks-dir', sandbox.libvirtd.hooks)
    assert.equal(exitCode, 0, JSON.stringify(data))
    assert.deepEqual([data.first, data.seen], [true, false])
    assert.match(JSON.stringify(data.problems), /restart libvirtd/)
    assert.equal(readFileSync(other, 'utf8'), 'of somebody else\n')
    await sandbox.libvirtd.restart()
    const status = await sandbox.json('hooks', 'status')
    assert.deepEqual([status.exitCode, status.data.seen], [0, true], JSON.stringify(status.data))
  })

  it('makes ready what domains need that virsh starts, and they reach each other', async () => {
    for (const name of ['one', 'two']) {
      define(name)
      const begin = performance.now()
      const { status, stderr } = sandbox.libvirtd.virsh('start', `sandbox.${name}`)
      assert.equal(status, 0, stderr)
      process.stderr.write(`      virsh start with the hook: ${Math.round(performance.now() - begin)} ms\n`)
    }
    assert.deepEqual((await ports()).sort(), ['sandbox.one.net0', 'sandbox.two.net0'])
    assert.equal(records().length, 2)
    const one = await sandbox.boot('one')
    const two = await sandbox.boot('two')
    const { received } = await one.ping(sandbox.addresses.two ?? '', 5, 0.2)
    one.close()
    two.close()
    assert.equal(received, 5)
    definition = sandbox.libvirtd.virsh('dumpxml', 'sandbox.one').stdout
  })

  it('lets machines run through a restart of libvirtd', async () => {
    const running = () => sandbox.libvirtd.virsh('list', '--name').stdout.trim().split('\n').sort()
    const before = running()
    await sandbox.libvirtd.restart()
    assert.deepEqual(running(), before)
    assert.equal(records().length, 2)
  })

  it('gives back what it took, when a domain ends and when QEMU is killed', async () => {
    const { virsh } = sandbox.libvirtd
    assert.equal(virsh('destroy', 'sandbox.one').status, 0)
    await until('the port of one to go', 10_000, async () => !(await ports()).includes('sandbox.one.net0'))
    const uuid = domainOf('two')?.uuid ?? ''
    const pid = readdirSync('/proc').find((name) => {
      if (!/^\d+$/.test(name)) return false
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(`-uuid\0${uuid}\0`)
      } catch {
        return false
      }
    })
    sendSignal(Number(pid), 'SIGKILL')
    await until('the port of two to go', 10_000, async () => (await ports()).length === 0)
    await until('both records to go', 5_000, () => records().length === 0)
    for (const { folder } of artifacts.machines) assert.equal(existsSync(folder), false, folder)
  })

  it('takes hugepages at the start and gives back just those, also after 5 rounds with kills', async () => {
    const pool = '/proc/sys/vm/nr_hugepages'
    const total = () => Number(readFileSync(pool, 'utf8'))
    const before = total()
    const pages = `<hugepages><page size='2048' unit='KiB' nodeset='0'/></hugepages>`
    const huge = (xml: string) =>
      xml
        .replace('<memoryBacking>', `<memoryBacking>${pages}`)
        .replace("<allocation mode='ondemand'/>", "<allocation mode='immediate'/>")
    define('one', huge)
    const { virsh } = sandbox.libvirtd
    for (let round = 0; round < 5; round++) {
      const { status, stderr } = virsh('start', 'sandbox.one')
      assert.equal(status, 0, stderr)
      const taken = total() - before
      assert.ok(taken >= 0 && taken <= 64, `${taken} pages`)
      assert.equal(virsh('destroy', 'sandbox.one').status, 0)
      await until('the record to go', 10_000, () => records().length === 0)
      assert.equal(total(), before)
    }
    // A hook that is killed anywhere leaves an account, which the next one settles.
    const xml = huge(domainOf('one')?.xml ?? '')
    for (const ms of [40, 80, 120, 160, 240]) {
      const script = `printf '%s' "$1" | timeout -s KILL ${ms / 1000} "$2" bin/vhostkit-hook.cjs "$3" prepare`
      spawnSync('sh', ['-c', script, 'sh', xml, process.execPath, sandbox.state], { encoding: 'utf8' })
    }
    assert.equal(callHook('release', 'end', xml).status, 0)
    await until('the record to go', 10_000, () => records().length === 0)
    assert.equal(total(), before)
  })

  it('starts the switch when it is off', async () => {
    define('two')
    await sandbox.json('switch', 'stop')
    const { status, stderr } = sandbox.libvirtd.virsh('start', 'sandbox.two')
    assert.equal(status, 0, stderr)
    assert.deepEqual(await ports(), ['sandbox.two.net0'])
    assert.equal(sandbox.libvirtd.virsh('destroy', 'sandbox.two').status, 0)
  })

  it('fails nowhere but in prepare, and prints nothing, whatever it is given', () => {
    for (const operation of [
      'reconnect',
      'migrate',
      'restore',
      'started',
      'stopped',
      'release',
      'start',
      'x',
    ]) {
      for (const xml of [definition, '', '<!DOCTYPE a>', `${sandbox.run}/machines/ <a`, '\0'.repeat(100)]) {
        const { status, stdout, stderr } = callHook(operation, 'begin', xml)
        assert.deepEqual(
          { operation, status, stdout, stderr },
          { operation, status: 0, stdout: '', stderr: '' },
        )
      }
    }
    const { status, stderr } = callHook('prepare', 'begin', `<a>${sandbox.run}/machines/</b>`)
    assert.equal(status, 1)
    assert.match(stderr, /^vhostkit: The XML is refused[^\n]*\n$/)
  })

  it('is fast where there is nothing to do', () => {
    const foreign = (domainOf('one')?.xml ?? '').replaceAll(sandbox.run, '/srv/elsewhere')
    const times = Array.from({ length: 100 }, () => {
      const begin = performance.now()
      assert.equal(callHook('prepare', 'begin', foreign).status, 0)
      return performance.now() - begin
    })
    const [p50, p99] = [percentile(times, 50), percentile(times, 99)]
    process.stderr.write(`      nothing to do: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms\n`)
    assert.ok(p99 <= 100, `p99 ${p99} ms`)
  })

  it('registers ports in good time', async () => {
    await sandbox.json('switch', 'start')
    const xml = domainOf('one')?.xml ?? ''
    const times = Array.from({ length: calls }, () => {
      const begin = performance.now()
      const { status, stderr } = callHook('prepare', 'begin', xml)
      const ms = performance.now() - begin
      assert.equal(status, 0, stderr)
      assert.equal(callHook('release', 'end', xml).status, 0)
      return ms
    })
    const [p50, p99] = [percentile(times, 50), percentile(times, 99)]
    process.stderr.write(`      ports registered: p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms\n`)
    assert.deepEqual([await ports(), records()], [[], []])
    assert.ok(p50 <= 300, `p50 ${p50} ms`)
  })

  it('is uninstalled, and nothing of others with it', async () => {
    for (const name of ['one', 'two']) sandbox.libvirtd.virsh('undefine', `sandbox.${name}`)
    assert.equal((await sandbox.json('hooks', 'uninstall')).data.changed, true)
    assert.deepEqual(readdirSync(join(sandbox.libvirtd.hooks, 'qemu.d')), ['README'])
    assert.equal((await sandbox.json('hooks', 'status')).data.installed, false)
    assert.equal(execFileSync('sh', ['-n', 'hooks/qemu'], { encoding: 'utf8' }), '')
  })
})
