import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installHook, uninstallHook } from '../../src/hook/install.js'
import { readSettings } from '../../src/hook/settings.js'

describe('installing the hook', () => {
  let base = ''
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'vkh-'))
  })
  afterEach(() => rmSync(base, { recursive: true }))

  const install = (now: number, run = join(base, 'run')) =>
    installHook({
      root: process.cwd(),
      hooks: join(base, 'hooks'),
      node: '/usr/bin/node',
      folders: { run, state: join(base, 'state') },
      switch: { argv: ['/bin/switch'], control: join(run, 'switch.sock') },
      uid: 77,
      now,
    })

  it('fills in its paths, is executable, and remembers when it was the first', async () => {
    const { dropIn, first } = await install(1000)
    const text = readFileSync(dropIn, 'utf8')
    assert.ok(first)
    assert.equal(statSync(dropIn).mode & 0o777, 0o755)
    assert.doesNotMatch(text, /@[A-Z]+@/)
    assert.ok(
      text.includes(`*${base}/run/machines/*`) && text.includes(`20 /usr/bin/node ${process.cwd()}/bin/`),
    )
    // A second one changes neither: libvirtd still has to look.
    assert.deepEqual([(await install(2000)).first, (await install(2000)).installedAt], [true, 1000])
  })

  it('is not the first where others have hooks that run', async () => {
    const other = join(base, 'hooks/qemu.d/10-other')
    mkdirSync(join(base, 'hooks/qemu.d'), { recursive: true })
    writeFileSync(other, '#!/bin/sh\n', { mode: 0o755 })
    assert.equal((await install(1)).first, false)
    await uninstallHook(join(base, 'state'))
    assert.equal(readFileSync(other, 'utf8'), '#!/bin/sh\n')
    assert.equal(await readSettings(join(base, 'state')), null)
    // One that cannot be executed is none for libvirt.
    writeFileSync(other, '', { mode: 0o644 })
    rmSync(other)
    writeFileSync(other, '', { mode: 0o644 })
    assert.equal((await install(1)).first, true)
  })

  it('leaves a drop-in of that name that is not ours', async () => {
    mkdirSync(join(base, 'hooks/qemu.d'), { recursive: true })
    writeFileSync(join(base, 'hooks/qemu.d/50-vhostkit'), '#!/bin/sh\nexit 0\n')
    await assert.rejects(install(1), /is there and is not ours/)
    assert.equal(await uninstallHook(join(base, 'state')), null)
  })

  it('refuses paths that a shell would change', async () => {
    for (const run of ['/run/a b', '/run/$HOME', "/run/a'b", '/run/a;b', '/run/a\nb', '/run/*']) {
      await assert.rejects(install(1, run), /cannot name the path/)
    }
  })
})
