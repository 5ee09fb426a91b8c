import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testFolderPrefix } from './host-state.js'
import { startCli } from './run-cli.js'

/** The package as somebody else gets it: packed, installed into an empty prefix, used. Its demo: docs-checkout.test.ts. */
describe('the package', () => {
  const base = mkdtempSync(join(tmpdir(), testFolderPrefix.slice(1)))
  const prefix = join(base, 'prefix')
  const installed = join(prefix, 'bin/vhostkit')
  const env = {
    VHOSTKIT_RUN_DIR: join(base, 'run'),
    VHOSTKIT_STATE_DIR: join(base, 'state'),
    VHOSTKIT_CACHE_DIR: join(base, 'cache'),
  }
  const vhostkit = (args: string[], more: Record<string, string> = {}) =>
    startCli(args, { ...env, ...more }, [process.execPath, installed]).result
  let packed: { size: number; unpackedSize: number; files: { path: string }[] }

  before(async function () {
    this.timeout(240_000)
    const pack = await startCli(['pack', '--json', '--pack-destination', base], {}, ['npm']).result
    assert.equal(pack.exitCode, 0, pack.stderr)
    const [made] = JSON.parse(pack.stdout) as (typeof packed & { filename: string })[]
    assert.ok(made !== undefined)
    packed = made
    const flags = ['--global', '--prefix', prefix, '--no-audit', '--no-fund', '--prefer-offline']
    const install = await startCli(['install', ...flags, join(base, made.filename)], {}, ['npm']).result
    assert.equal(install.exitCode, 0, install.stderr)
  })
  after(async () => {
    await vhostkit(['switch', 'stop'])
    rmSync(base, { recursive: true, force: true })
  })

  it('holds what it needs, and no test', () => {
    const paths = packed.files.map(({ path }) => path)
    for (const needed of [
      'bin/vhostkit.js',
      'dist/src/index.d.ts',
      'native/src/main.c',
      'native/guest/init',
      'bin/vhostkit-hook.cjs',
      'dist/hook/run-hook.cjs',
      'dist/hook/run-hook.code',
      'dist/hook/LICENSES',
      'hooks/qemu',
      'man/vhostkit-apply.1',
      'LICENSE',
      'README.md',
    ]) {
      assert.ok(paths.includes(needed), needed)
    }
    assert.deepEqual(
      paths.filter((path) => /test|fuzz|bench|corpus|golden|\.map$|tsbuildinfo|\.cache/.test(path)),
      [],
    )
    assert.ok(packed.size < 1_000_000, `${packed.size} bytes`)
    console.log(`      ${paths.length} files, ${packed.size} bytes packed, ${packed.unpackedSize} unpacked`)
  })

  it('installs globally, and brings its man pages', async () => {
    const { exitCode, stdout } = await vhostkit(['--version'])
    assert.equal(exitCode, 0)
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
    assert.ok(existsSync(join(prefix, 'lib/node_modules/vhostkit/man/vhostkit.1')))
    assert.equal((await vhostkit(['explain', 'usage'])).exitCode, 0)
  })

  it('says what is missing where there is no compiler', async () => {
    const bare = join(base, 'bare')
    mkdirSync(bare)
    symlinkSync(process.execPath, join(bare, 'node'))
    const { exitCode, stderr } = await vhostkit(['switch', 'start', '--quiet'], { PATH: bare })
    assert.equal(exitCode, 4)
    assert.match(
      stderr,
      /to build it this host lacks: gcc, meson, ninja, pkg-config\. \[switch-not-buildable\]\n {2}As root: apt-get install .*gcc/,
    )
    assert.ok(!existsSync(join(base, 'cache')) || readdirSync(join(base, 'cache')).length === 0)
  })

  it('builds the switch at first use, outside of the prefix, and starts it', async function () {
    this.timeout(240_000)
    const before = listTree(prefix)
    const started = await vhostkit(['switch', 'start'])
    assert.equal(started.exitCode, 0, started.stderr)
    assert.match(started.stderr, /build the switch, once/)
    assert.deepEqual(listTree(prefix), before)
    const again = await vhostkit(['switch', 'restart'])
    assert.equal(again.exitCode, 0, again.stderr)
    assert.doesNotMatch(again.stderr, /build the switch/)
    assert.equal((await vhostkit(['switch', 'status'])).exitCode, 0)
  })
})

function listTree(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
}
