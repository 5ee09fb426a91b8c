import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Script } from 'node:vm'

describe('the launcher of the hook', () => {
  const domain = readFileSync('test/golden/cases/libvirt-pair/domain-vm1.xml', 'utf8')
  let base = ''
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'vkl-'))
  })
  afterEach(() => rmSync(base, { recursive: true }))

  const settle = () => {
    const control = join(base, 'none.sock')
    const folders = { run: '/run/vhostkit', state: base }
    const settings = { version: 1, folders, switch: { argv: [join(base, 'none')], control }, uid: null }
    writeFileSync(join(base, 'hooks.json'), JSON.stringify(settings))
  }
  const launch = (operation: string, xml = domain, root = '.') => {
    const argv = [join(root, 'bin/vhostkit-hook.cjs'), base, operation]
    return spawnSync(process.execPath, argv, { input: xml, encoding: 'utf8' })
  }

  it('has code of this V8 for its file, and none for another', () => {
    const source = readFileSync('dist/hook/run-hook.cjs', 'latin1')
    const cachedData = readFileSync('dist/hook/run-hook.code')
    assert.equal(new Script(source, { cachedData }).cachedDataRejected, false)
    assert.equal(new Script(`${source} `, { cachedData }).cachedDataRejected, true)
  })

  it('has nothing to say where no hook was installed', () => {
    const { status, stderr } = launch('prepare')
    assert.deepEqual([status, stderr], [0, ''])
  })

  it('fails a start with one line, and no other event', () => {
    settle()
    const { status, stderr } = launch('prepare', '<domain>')
    assert.equal(status, 1)
    assert.match(stderr, /^vhostkit: The XML is refused.*\n$/)
    assert.equal(launch('release', '<domain>').status, 0)
  })

  it('works the same with code of another V8, and without any', () => {
    for (const folder of ['bin/vhostkit-hook.cjs', 'dist/hook']) {
      cpSync(folder, join(base, 'copy', folder), { recursive: true })
    }
    const code = join(base, 'copy/dist/hook/run-hook.code')
    settle()
    const said = launch('prepare', '<domain>').stderr
    assert.notEqual(said, '')
    writeFileSync(code, 'of another V8')
    assert.equal(launch('prepare', '<domain>', join(base, 'copy')).stderr, said)
    rmSync(code)
    assert.equal(launch('prepare', '<domain>', join(base, 'copy')).stderr, said)
  })

  it('needs nothing but its own files, and names what others wrote in them', () => {
    const source = readFileSync('dist/hook/run-hook.cjs', 'utf8')
    const wanted = [...source.matchAll(/(?:require|import)\("([^"]+)"\)/g)].map(([, name = '']) => name)
    assert.ok(wanted.includes('node:net'))
    assert.deepEqual(
      wanted.filter((name) => !isBuiltin(name)),
      [],
    )
    const licenses = readFileSync('dist/hook/LICENSES', 'utf8')
    for (const name of ['execa', 'fast-xml-parser']) assert.match(licenses, new RegExp(`^${name} \\d`, 'm'))
    // What reads a spec; a hook that loaded it would cost twice as much.
    for (const name of ['zod', 'yaml']) assert.doesNotMatch(licenses, new RegExp(`^${name} \\d`, 'm'))
  })
})
