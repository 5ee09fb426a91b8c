import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { makeGuest } from '../../../src/demo/guest/guest.js'
import { assertFollowed, scriptOf, writeFilesOf } from '../../docs/follow-page.js'
import { listPages, readBlocks } from '../../docs/read-pages.js'
import { lookAtHost, testFolderPrefix } from '../host-state.js'
import { beyond, beyondAddress, host, makeSpaces, removeSpaces } from '../out-rig.js'
import { requireLibvirt } from './libvirtd.js'
import { makePageGuest } from './page-guest.js'
import { PageHost, type PageWorld } from './page-host.js'

/** What is there when a person comes to a page: of the machine that is to move, its folder also where it moves to. */
const scenes: Record<string, (one: PageHost, other: PageHost) => Promise<void>> = {
  'docs/convert-a-libvirt-vm.md': async (one) => {
    one.defineDomain('web1')
    await one.prepare('virsh start web1')
  },
  'docs/live-migration.md': async (one, other) => {
    one.defineDomain('web1')
    other.makeFolder('web1')
    await one.prepare('vhostkit hooks install\nvhostkit accelerate web1 --network lan\nvirsh start web1')
  },
}

/** Blocks marked "sh run host" and "sh run hosts", as they stand, on a host with libvirt, and on another one beyond it. */
describe('documents, with libvirt', function () {
  this.timeout(240_000)
  let untouched: ReturnType<typeof lookAtHost>
  let world: PageWorld
  let one: PageHost
  let other: PageHost
  let server: ChildProcess | undefined

  before(async function () {
    requireLibvirt(this)
    untouched = lookAtHost()
    makeSpaces()
    world = await makeWorld()
    one = await PageHost.start(world, host, '198.51.100.1', '3a1c6c62-0d4c-4c3e-9d58-000000000001')
    other = await PageHost.start(world, beyond, beyondAddress, '3a1c6c62-0d4c-4c3e-9d58-000000000002')
    const [program = '', ...words] = other.command('dropbear', '-F', '-r', join(world.base, 'host_key'))
    server = spawn(program, words, { stdio: 'ignore' })
  })
  after(async () => {
    if (server !== undefined && server.exitCode === null) {
      server.kill()
      await once(server, 'exit')
    }
    await one?.end()
    await other?.end()
    removeSpaces()
    if (world !== undefined) rmSync(world.base, { recursive: true, force: true })
    if (untouched !== undefined) assert.deepEqual(lookAtHost(), untouched)
  })

  const isOurs = (kind: string) => kind === 'sh run host' || kind === 'sh run hosts'
  for (const page of listPages()) {
    const blocks = readBlocks(page).filter(({ kind }) => isOurs(kind))
    if (blocks.length === 0) continue
    it(`${page} does what it says`, async () => {
      writeFilesOf(page, join(world.base, 'pages'))
      for (const there of [one, other]) await there.clear()
      await scenes[page]?.(one, other)
      for (const block of blocks) {
        await one.settle()
        for (const there of block.kind === 'sh run hosts' ? [one, other] : [one])
          assertFollowed(page, await there.follow(scriptOf([block])))
      }
    })
  }
})

async function makeWorld(): Promise<PageWorld> {
  const base = mkdtempSync(join(tmpdir(), testFolderPrefix.slice(1)))
  chmodSync(base, 0o755)
  const world = { base, srv: join(base, 'srv'), home: join(base, 'home') }
  const keys = join(world.home, '.ssh')
  for (const folder of [world.srv, keys, join(base, 'bin'), join(base, 'pages')])
    mkdirSync(folder, { recursive: true })
  for (const folder of [world.home, keys]) chmodSync(folder, 0o700)
  symlinkSync(resolve('bin/vhostkit.js'), join(base, 'bin/vhostkit'))
  for (const path of [join(keys, 'id_ed25519'), join(keys, 'lab_ed25519')])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path])
  execFileSync('dropbearkey', ['-t', 'ed25519', '-f', join(base, 'host_key')], { stdio: 'ignore' })
  const known = ['id', 'lab'].map((name) => readFileSync(join(keys, `${name}_ed25519.pub`), 'utf8')).join('')
  writeFileSync(join(keys, 'authorized_keys'), known, { mode: 0o600 })
  writeFileSync(
    join(keys, 'config'),
    `Host other\n  HostName ${beyondAddress}\n  StrictHostKeyChecking accept-new\n`,
  )
  const image = await makeGuest(process.cwd(), () => undefined, new AbortController().signal)
  copyFileSync(image.kernel, join(world.srv, 'vmlinuz'))
  await makePageGuest(image, join(world.srv, 'initrd.gz'), known)
  for (const name of ['vmlinuz', 'initrd.gz']) chmodSync(join(world.srv, name), 0o644)
  return world
}
