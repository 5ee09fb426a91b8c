import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from '../../src/cli/command.js'
import { commands } from '../../src/cli/commands.js'
import { makeGuest } from '../../src/demo/guest/guest.js'
import { assertFollowed, bash, scriptOf, writeFilesOf } from '../docs/follow-page.js'
import { misfits, readShapes } from '../docs/json-shapes.js'
import { blocksOf } from '../docs/read-pages.js'
import { echoLines, inOrdinaryPlaces, keepRecording, sameEverywhere } from '../docs/recording.js'
import { testFolderPrefix } from './host-state.js'
import { startCli } from './run-cli.js'

/** Blocks marked "sh run" are run as they stand, page by page, with the specs of the page beside them. */
describe('documents', () => {
  const base = mkdtempSync(join(tmpdir(), testFolderPrefix.slice(1)))
  const env = {
    VHOSTKIT_RUN_DIR: join(base, 'run'),
    VHOSTKIT_STATE_DIR: join(base, 'state'),
    PATH: `${join(base, 'bin')}:${process.env.PATH}`,
  }
  const shell = (script: string) => startCli([`cd ${base}\n${script}`], env, bash).result

  before(async () => {
    mkdirSync(join(base, 'bin'))
    symlinkSync(resolve('bin/vhostkit.js'), join(base, 'bin/vhostkit'))
    await makeGuest(process.cwd(), () => undefined, new AbortController().signal)
  })
  after(async () => {
    // A page, or a shape, that failed half-way has its machines still.
    await shell(
      'for name in $(vhostkit completion deployments); do vhostkit destroy "$name" --grace 0; done; vhostkit switch stop',
    )
    rmSync(base, { recursive: true, force: true })
  })

  it('has pages to run', () => assert.ok(blocksOf('').length >= 5))
  for (const [page, blocks] of blocksOf('')) {
    it(`${page} does what it says`, async () => {
      writeFilesOf(page, base)
      const recording = page.replace(/\.md$/, '.txt')
      const isRecorded = existsSync(recording)
      const script = isRecorded ? echoLines(blocks.flatMap(({ lines }) => lines)) : scriptOf(blocks)
      const result = await shell(script)
      assertFollowed(page, result)
      if (isRecorded) keepRecording(recording, inOrdinaryPlaces(result.stdout, base), sameEverywhere)
    })
  }

  it('docs/json.md has a shape for every command', () => {
    const names = (rows: Command[], before: string): string[] =>
      rows.flatMap(({ name, commands: inner }) =>
        inner === undefined ? [before + name] : names(inner, `${before}${name} `),
      )
    const shapes = readShapes()
    assert.deepEqual(
      names(commands, '').filter((name) => name !== 'switch events' && !shapes.has(name)),
      [],
    )
  })

  it('docs/json.md is what the commands print', async () => {
    const shapes = readShapes()
    const spec = join(base, 'shapes.yaml')
    writeFileSync(
      spec,
      [
        'version: 1',
        'name: shapes',
        'networks: [{ name: lan, host: 192.168.77.1/24 }]',
        'machines:',
        '  - { name: vm1, memory: 128M, interfaces: [{ network: lan, vlan: 10, mirror: { file: a.pcapng } }] }',
        '',
      ].join('\n'),
    )
    const check = async (name: string, more: string[] = []) => {
      const { stdout, stderr } = await startCli([...name.split(' '), ...more, '--json'], env).result
      const lines = stdout.trim().split('\n')
      const shape = shapes.get(name)
      assert.ok(shape !== undefined && lines[0] !== '', `${name}: ${stderr}`)
      assert.deepEqual(misfits(shape, JSON.parse(lines[0] ?? ''), shapes), [], name)
    }
    await check('plan', [spec])
    await check('render', [spec])
    await check('render', [spec, '--to', join(base, 'out')])
    await check('diff', [spec])
    await check('apply', [spec, '--dry-run'])
    await check('apply', [spec])
    await check('status')
    await check('stop', ['shapes', '--grace', '0'])
    await check('start', ['shapes'])
    for (const name of ['top', 'doctor', 'schema', 'hooks status', 'man']) await check(name)
    for (const name of ['status', 'ports', 'stats', 'macs', 'workers', 'metrics', 'start', 'restart'])
      await check(`switch ${name}`)
    await check('explain', ['usage'])
    await check('completion', ['bash'])
    await check('destroy', ['shapes', '--dry-run'])
    await check('destroy', ['shapes'])
    for (const name of ['switch install', 'switch uninstall'])
      await check(name, ['--root', join(base, 'root')])
    await check('switch install', ['--print'])
    await check('switch stop')
    const { stdout } = await startCli(['status', 'none', '--json'], env).result
    assert.deepEqual(misfits('Error', JSON.parse(stdout), shapes), [])
  })
})
