import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Artifacts } from '../../src/core/render/artifacts.js'
import { guestCmdline } from '../../src/demo/guest/cmdline.js'
import { GuestSession } from '../../src/demo/guest/guest-session.js'
import { type BootImages, biosWords, greeting, makeBootImages } from './boot-images.js'
import { startCli } from './run-cli.js'
import { errorOf, type Sandbox } from './sandbox.js'

/** Three machines: one boots a kernel beside disks and a seed, one UEFI from a disk, one the BIOS from a disk. */
export function writeUsefulSpec(
  sandbox: Sandbox,
  guest: { kernel: string; initrd: string },
  driver: string,
  { images, packages }: { images?: BootImages; packages?: string[] } = {},
): { spec: string; images: BootImages } {
  const made = images ?? makeBootImages(sandbox.base, guest)
  const spec = sandbox.writeSpec(
    JSON.stringify({
      version: 1,
      name: 'useful',
      ...(driver === 'qemu' ? { driver } : { driver: 'libvirt', connect: driver }),
      hugepages: 'off',
      networks: [{ name: 'lan' }],
      machines: [
        {
          name: 'kernel',
          memory: '128M',
          boot: { ...guest, cmdline: `${guestCmdline} pci=nomsi` },
          disks: [{ image: made.data, size: '32M' }, { size: '8M', bus: 'scsi' }, { cdrom: made.cdrom }],
          'cloud-init': { user: 'admin', packages: packages ?? ['one-package'] },
          interfaces: [{ network: 'lan', address: '192.168.78.21/24' }],
        },
        {
          name: 'uefi',
          memory: '192M',
          firmware: 'uefi',
          disks: [{ image: made.uefi, readonly: true }, { cdrom: made.cdrom }],
          interfaces: ['lan'],
        },
        { name: 'bios', memory: '32M', disks: [{ size: '1M' }, { image: made.bios, format: 'raw' }] },
      ],
    }),
  )
  return { spec, images: made }
}

/** What the tests of both drivers show, in this order; `sandbox` is there when the first runs. */
export function describeUsefulMachines(
  get: () => { sandbox: Sandbox; spec: string; images: BootImages; rewrite(packages: string[]): string },
  /** How far the machine with UEFI must come. */
  uefiWords: string,
  /** Tests of one driver alone, while the machines run as they were applied. */
  more: () => void = () => undefined,
): void {
  const signal = new AbortController().signal
  let session: GuestSession | null = null
  const cli = (...args: string[]) => startCli(args, get().sandbox.env)
  const console = (machine: string, ...args: string[]) => get().sandbox.json('console', machine, ...args)
  const store = (machine: string) => join(get().sandbox.state, 'disks', `useful.${machine}`)
  const connect = async () => {
    const socket = join(get().sandbox.run, 'machines/useful.kernel/console.sock')
    const made = await GuestSession.connect('kernel', socket, signal)
    await made.answers()
    return made
  }
  after(() => session?.close())

  it('is applied, and each boots what it should', async () => {
    const { sandbox, spec } = get()
    const applied = await sandbox.json('apply', spec)
    assert.equal(applied.exitCode, 0, JSON.stringify(applied.data))
    for (const [machine, words] of [
      ['bios', biosWords],
      ['kernel', '^@ready'],
      ['uefi', uefiWords],
    ] as const) {
      const { exitCode, data } = await console(machine, '--until', words, '--for', '120')
      assert.deepEqual([exitCode, data.ended], [0, 'matched'], `${machine}: ${data.said}`)
    }
    assert.equal((await sandbox.json('apply', spec)).data.changed, false)
  })

  more()

  it('shows the guest its disks: the image, grown, an empty one, the seed', async () => {
    session = await connect()
    assert.equal(await session.run('head -n 1 /dev/vda'), greeting)
    assert.equal(await session.run('cat /sys/class/block/vda/size'), '65536')
    const seed = await session.run('mkdir -p /seed; mount -t iso9660 -o ro /dev/vdb /seed && cat /seed/*')
    const artifacts = (await get().sandbox.json('render', get().spec)).data as unknown as Artifacts
    const file = artifacts.machines[0]?.files?.find(({ kind }) => kind === 'seed')
    assert.ok(file?.kind === 'seed')
    const files = [...file.files].sort((a, b) => (a.name < b.name ? -1 : 1))
    assert.equal(`${seed}\n`, files.map(({ text }) => text).join(''))
    // The name of the volume is what cloud-init looks for: ECMA-119, 32768 + 40.
    const label = await session.run('dd if=/dev/vdb bs=1 skip=32808 count=6 2>/dev/null; echo')
    assert.equal(label.toLowerCase(), 'cidata')
    assert.equal(await session.run('cat /sys/class/virtio-ports/*/name'), 'org.qemu.guest_agent.0')
  })

  it('keeps what the guest writes in its overlay, never in the image', async () => {
    const words = 'written by the guest'
    await session?.run(`printf '%s\\n' '${words}' | dd of=/dev/vda conv=notrunc 2>/dev/null; sync`)
    session?.close()
    assert.equal((await get().sandbox.json('stop', 'useful', 'kernel', '--grace', '0')).exitCode, 0)
    const raw = join(get().sandbox.base, 'back.raw')
    execFileSync('qemu-img', ['convert', '-O', 'raw', get().images.data, raw])
    assert.match(execFileSync('head', ['-n', '1', raw], { encoding: 'utf8' }), new RegExp(greeting))
    const started = await get().sandbox.json('apply', get().spec)
    assert.equal(started.exitCode, 0, JSON.stringify(started.data))
    await console('kernel', '--until', '^@ready', '--for', '120')
    session = await connect()
    assert.equal(await session.run('head -n 1 /dev/vda'), words)
  })

  it('refuses a second one at the console, with and without a terminal', async () => {
    const { exitCode, data } = await console('kernel')
    assert.deepEqual([exitCode, errorOf(data).code], [4, 'console-busy'])
    session?.close()
  })

  it('passes a script through the console', async () => {
    const run = startCli(['console', 'useful/kernel'], get().sandbox.env, undefined, 'run s1 expr 6 \\* 7\n')
    const { exitCode, stdout, stderr } = await run.result
    assert.deepEqual([exitCode, /^@s1 42\r?$/m.test(stdout)], [0, true], `${stdout}${stderr}`)
    const missed = await cli('console', 'kernel', '--until', 'never said', '--for', '1').result
    assert.deepEqual([missed.exitCode, /never said.*its time is over/.test(missed.stderr)], [1, true])
    const unknown = await get().sandbox.json('console', 'nobody')
    assert.equal(errorOf(unknown.data).code, 'not-found')
  })

  it('is a terminal at a terminal, until Ctrl-]', async () => {
    // script gives the tool a terminal of its own, and types what comes from us.
    const words = `${process.execPath} bin/vhostkit.js console kernel`
    const run = startCli(['-qec', words, '/dev/null'], get().sandbox.env, ['script'])
    await run.line(/Ctrl-\] detaches/, 'stdout')
    run.child.stdin?.write('run t1 expr 6 \\* 9\n')
    await run.line(/@t1 54/, 'stdout')
    run.child.stdin?.end('\x1d')
    const { exitCode, stdout } = await run.result
    assert.deepEqual([exitCode, /detached/.test(stdout)], [0, true], stdout)
  })

  it('makes another seed when what is in it changes, for the next start', async () => {
    const { sandbox, rewrite } = get()
    const seeds = () => readdirSync(store('kernel')).filter((name) => name.endsWith('.iso'))
    const before = seeds()
    const spec = rewrite(['another-package'])
    const applied = await sandbox.json('apply', spec)
    assert.deepEqual([applied.data.steps, seeds()], [[], before])
    assert.match(JSON.stringify(applied.data.notices), /machine-changed/)
    const restarted = await sandbox.json('apply', spec, '--restart', '--grace', '0')
    assert.equal(restarted.exitCode, 0, JSON.stringify(restarted.data))
    assert.equal(seeds().length, 1)
    assert.notDeepEqual(seeds(), before)
    assert.equal((await sandbox.json('apply', spec)).data.changed, false)
  })

  it('is destroyed but for what the guests wrote; then that too, and never an image', async () => {
    const { sandbox, images } = get()
    const { exitCode, data } = await sandbox.json('destroy', 'useful', '--grace', '0')
    const kept = [
      join(store('bios'), 'disk0.qcow2'),
      join(store('bios'), 'disk1.qcow2'),
      join(store('kernel'), 'disk0.qcow2'),
      join(store('kernel'), 'disk1.qcow2'),
      join(store('uefi'), 'uefi-variables.fd'),
    ]
    assert.deepEqual([exitCode, data.kept, kept.every(existsSync)], [0, kept, true], JSON.stringify(data))
    assert.equal(readdirSync(store('kernel')).length, 2)
    const { data: status } = await sandbox.json('status')
    const listed = (status.kept as { owner: string; files: string[] }[]).flatMap(({ files }) => files)
    assert.deepEqual([listed, data.removed], [kept, []])
    const again = await sandbox.json('destroy', 'useful', '--disks')
    assert.deepEqual(
      [again.exitCode, again.data.kept, again.data.removed],
      [0, [], kept],
      JSON.stringify(again.data),
    )
    assert.equal(existsSync(join(sandbox.state, 'disks')), false)
    for (const image of Object.values(images)) assert.ok(statSync(image).size > 0)
    assert.equal(errorOf((await sandbox.json('destroy', 'useful', '--disks')).data).code, 'not-found')
  })
}
