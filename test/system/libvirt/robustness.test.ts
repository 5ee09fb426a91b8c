import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Artifacts } from '../../../src/core/render/artifacts.js'
import { lookAtHost } from '../host-state.js'
import { sendSignal } from '../send-signal.js'
import { type DomainSandbox, makeDomainSandbox } from './domain-sandbox.js'
import { runKilledAt } from './kill-at.js'
import { requireLibvirt, until } from './libvirtd.js'

/** Small on every run; VHOSTKIT_ROUNDS=30, VHOSTKIT_DOMAINS=20, VHOSTKIT_RESTARTS=20 for all of it. */
const count = (name: string, otherwise: number) => Number(process.env[`VHOSTKIT_${name}`] ?? otherwise)
/** Each point takes seconds on a busy host: all of them with VHOSTKIT_STRIDE=1. */
const stride = count('STRIDE', 5)
const rounds = count('ROUNDS', 2)
const domains = count('DOMAINS', 3)
const restarts = count('RESTARTS', 1)
const pool = '/proc/sys/vm/nr_hugepages'

describe('what a hook took, whatever happens', function () {
  this.timeout(600_000)
  let sandbox: DomainSandbox
  let untouched: ReturnType<typeof lookAtHost>
  let template = ''
  let folder = ''

  before(async function () {
    requireLibvirt(this)
    untouched = lookAtHost()
    sandbox = await makeDomainSandbox({ hooks: true })
    const { machines } = (await sandbox.json('render', sandbox.spec)).data as unknown as Artifacts
    template = machines[0]?.domain?.xml ?? ''
    folder = machines[0]?.folder ?? ''
  })
  after(async () => {
    const { virsh } = sandbox.libvirtd
    for (const name of virsh('list', '--all', '--name').stdout.split('\n').filter(Boolean)) {
      virsh('destroy', name)
      virsh('undefine', name)
    }
    await sandbox?.json('switch', 'stop').catch(() => undefined)
    await sandbox?.end()
    assert.deepEqual(lookAtHost(), untouched)
  })

  const total = () => Number(readFileSync(pool, 'utf8'))
  const ofPool = (name: string) =>
    Number(readFileSync(`/sys/kernel/mm/hugepages/hugepages-2048kB/${name}_hugepages`, 'utf8'))
  const free = () => ofPool('free')
  const ports = async () =>
    ((await sandbox.json('status')).data.ports as { name: string }[]).map(({ name }) => name)
  const records = () => {
    const path = join(sandbox.state, 'domains')
    return existsSync(path) ? readdirSync(path).filter((name) => name.endsWith('.json')) : []
  }
  const release = (xml: string) => runKilledAt(-1, sandbox.state, 'release', xml)
  const isClean = async (pages: number, when: string) => {
    assert.deepEqual([total(), records(), existsSync(folder)], [pages, [], false], when)
    assert.deepEqual(await ports(), [], when)
  }

  /** The template with pages of 2 MiB, under another name. 16 MiB are enough for what only starts. */
  const huge = (name: string, index: number, pages = 8) =>
    template
      .replace('<name>sandbox.one', `<name>${name}`)
      .replace(/<uuid>.{8}/, `<uuid>${String(index).padStart(8, '0')}`)
      .replaceAll('machines/sandbox.one/', `machines/${name}/`)
      .replaceAll('sandbox.one.net0', `${name}.net0`)
      .replaceAll('131072', String(pages * 2048))
      .replace('<memoryBacking>', "<memoryBacking><hugepages><page size='2048' unit='KiB'/></hugepages>")
      .replace("<allocation mode='ondemand'/>", "<allocation mode='immediate'/>")
      .replace(/<kernel>[\s\S]*<\/cmdline>/, '')
  const define = (name: string, index: number) => {
    const path = join(sandbox.base, 'huge.xml')
    writeFileSync(path, huge(name, index))
    const { status, stderr } = sandbox.libvirtd.virsh('define', path)
    assert.equal(status, 0, stderr)
  }
  const pidOf = (name: string) =>
    Number(
      readdirSync('/proc').find((pid) => {
        if (!/^\d+$/.test(pid)) return false
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`guest=${name},`)
        } catch {
          return false
        }
      }),
    )
  const startAside = (name: string) => {
    const child = spawn('virsh', ['-q', '-c', sandbox.libvirtd.uri, 'start', name])
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const begin = performance.now()
    return once(child, 'close').then(([status]) => ({ status, stderr, ms: performance.now() - begin }))
  }

  for (const [operation, ready] of [
    ['prepare', false],
    ['release', true],
  ] as const) {
    it(`is given back after a SIGKILL at any write of the account in ${operation}`, async () => {
      await sandbox.json('switch', 'start')
      const xml = huge('sandbox.one', 1)
      const before = total()
      let point = 0
      for (let killed = true; killed; point += stride) {
        if (ready) assert.equal(runKilledAt(-1, sandbox.state, 'prepare', xml).status, 0)
        const run = runKilledAt(point, sandbox.state, operation, xml)
        killed = run.killed
        if (!killed) assert.equal(run.status, 0, run.stderr)
        const end = release(xml)
        assert.equal(end.status, 0, end.stderr)
        await isClean(before, `${operation}, point ${point}`)
      }
      process.stderr.write(`      ${operation}: killed at every ${stride}. of ${point - stride} points\n`)
      assert.ok(point > (ready ? 6 : 10), `${point} points`)
    })
  }

  it('of another boot takes nothing from this one', async () => {
    // More than is free, so that some must be taken.
    const xml = huge('sandbox.one', 1, free() + 8)
    const before = total()
    assert.equal(runKilledAt(-1, sandbox.state, 'prepare', xml).status, 0)
    const taken = total() - before
    const path = join(sandbox.state, 'domains', records()[0] ?? '')
    const record = JSON.parse(readFileSync(path, 'utf8')) as { boot: string }
    writeFileSync(path, JSON.stringify({ ...record, boot: 'the boot before' }))
    assert.equal(release(xml).status, 0)
    // As after a real reboot: the pages that are there now are of somebody else.
    assert.deepEqual([total() - before, records()], [taken, []])
    writeFileSync(pool, String(before))
    await isClean(before, 'after')
    assert.ok(taken > 0)
  })

  it(`is as before after ${rounds} rounds of starts and stops with random kills`, async () => {
    const { virsh } = sandbox.libvirtd
    define('sandbox.one', 1)
    const before = total()
    const kinds = { destroy: 0, 'QEMU killed': 0, 'switch killed': 0, 'hook killed': 0 }
    for (let round = 0; round < rounds; round++) {
      const kind =
        (['destroy', 'QEMU killed', 'switch killed', 'hook killed'] as const)[
          Math.floor(Math.random() * 4)
        ] ?? 'destroy'
      kinds[kind]++
      if (kind === 'hook killed')
        runKilledAt(Math.floor(Math.random() * 16), sandbox.state, 'prepare', huge('sandbox.one', 1))
      const { status, stderr } = virsh('start', 'sandbox.one')
      assert.equal(status, 0, stderr)
      const { switch: running } = (await sandbox.json('status')).data as unknown as {
        switch: { pid: number }
      }
      if (kind === 'switch killed') sendSignal(running.pid, 'SIGKILL')
      if (kind === 'QEMU killed') sendSignal(pidOf('sandbox.one'), 'SIGKILL')
      else assert.equal(virsh('destroy', 'sandbox.one').status, 0)
      await until('the record to go', 15_000, () => records().length === 0)
      await until('the domain to be off', 10_000, () =>
        virsh('domstate', 'sandbox.one').stdout.includes('shut'),
      )
      assert.equal(total(), before, `round ${round}, ${kind}`)
    }
    process.stderr.write(
      `      ${rounds} rounds, ${before} pages before and ${total()} after: ${JSON.stringify(kinds)}\n`,
    )
    await isClean(before, 'after all rounds')
  })

  it(`starts ${domains} domains at once, and libvirtd restarted ${restarts} times ends none`, async () => {
    const { virsh } = sandbox.libvirtd
    const before = total()
    const names = Array.from({ length: domains }, (_, index) => `many${index}`)
    for (const [index, name] of names.entries()) define(name, index + 100)
    const begin = performance.now()
    const started = await Promise.all(names.map(startAside))
    const ms = Math.round(performance.now() - begin)
    assert.deepEqual(
      started.filter(({ status }) => status !== 0).map(({ stderr }) => stderr),
      [],
    )
    process.stderr.write(
      `      ${domains} domains started at once within ${ms} ms, ${total() - before} pages taken\n`,
    )
    assert.equal((await ports()).length, domains)
    const pids = () => names.map(pidOf)
    const running = pids()
    for (let round = 0; round < restarts; round++) await sandbox.libvirtd.restart()
    assert.deepEqual(pids(), running)
    assert.deepEqual(virsh('list', '--name').stdout.split('\n').filter(Boolean).sort(), [...names].sort())
    for (const name of names) assert.equal(virsh('destroy', name).status, 0)
    await until('all records to go', 20_000, () => records().length === 0)
    await isClean(before, 'after')
    for (const name of names) virsh('undefine', name)
  })

  it('is not what the kernel promised to somebody else', async () => {
    const before = total()
    const pages = 8
    const [room, others] = [free(), ofPool('resv')]
    writeFileSync(pool, String(before + pages))
    // Free, but promised: this QEMU maps them and touches none.
    const memory = `memory-backend-memfd,id=m,hugetlb=on,hugetlbsize=2M,share=on,prealloc=off,size=${pages * 2}M`
    const holder = spawn('qemu-system-x86_64', ['-machine', 'none', '-display', 'none', '-object', memory])
    try {
      await until('the pages to be promised', 10_000, () => ofPool('resv') >= others + pages)
      assert.ok(free() >= room + pages, `${free()} pages are free`)
      const xml = huge('sandbox.one', 1, room + 8)
      assert.equal(runKilledAt(-1, sandbox.state, 'prepare', xml).status, 0)
      assert.equal(total(), before + pages + 8, 'the domain got 8 of its own')
      assert.equal(release(xml).status, 0)
      assert.equal(total(), before + pages)
    } finally {
      const ended = once(holder, 'exit')
      holder.kill('SIGKILL')
      await ended
      writeFileSync(pool, String(before))
    }
    await isClean(before, 'after')
  })
})
