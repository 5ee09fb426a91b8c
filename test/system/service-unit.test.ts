import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testFolderPrefix } from './host-state.js'
import { runCli, startCli } from './run-cli.js'

const unitName = 'vhostkit-switch.service'

describe('the unit, as systemd-analyze sees it', () => {
  const root = mkdtempSync(join(tmpdir(), testFolderPrefix.slice(1)))
  const unit = join(root, 'etc/systemd/system', unitName)
  const analyze = (...words: string[]) => startCli([], {}, ['systemd-analyze', '--no-pager', ...words]).result
  const security = (path: string) => analyze('security', '--offline=true', '--threshold=20', path)

  before(async () => {
    assert.ok(
      existsSync('/usr/bin/systemd-analyze'),
      'the Debian package systemd is missing: bin/setup installs it',
    )
    const { exitCode, stdout, stderr } = await runCli(['switch', 'install', '--root', root, '--json'], {
      VHOSTKIT_RUN_DIR: '/run/vhostkit',
    })
    assert.equal(exitCode, 0, stderr)
    assert.equal((JSON.parse(stdout) as { changed: boolean }).changed, true)
  })
  after(() => rmSync(root, { recursive: true, force: true }))

  it('is sound', async () => {
    const { exitCode, stdout, stderr } = await analyze('verify', unit)
    assert.deepEqual([exitCode, stdout, stderr], [0, '', ''])
  })

  it('is exposed by 2.0 at most, and a looser one is refused', async () => {
    const { exitCode, stdout } = await security(unit)
    const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]
    console.log(`      exposure ${exposure}`)
    assert.equal(exitCode, 0, stdout)
    assert.ok(Number(exposure) <= 2)
    const loose = join(root, unitName)
    writeFileSync(
      loose,
      readFileSync(unit, 'utf8').replace(/^(SystemCallFilter|CapabilityBoundingSet|User)=.*\n/gm, ''),
    )
    assert.notEqual((await security(loose)).exitCode, 0)
  })
})
