import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ProblemsFound, readSpec } from '../../src/apply/prepare.js'
import type { Command } from '../../src/cli/command.js'
import { commands } from '../../src/cli/commands.js'
import { examples } from '../../src/cli/examples.js'
import { parseArguments } from '../../src/cli/parse-arguments.js'
import { findPlaces } from '../../src/cli/places.js'
import { describeError } from '../../src/cli/show-error.js'
import { VhostkitError } from '../../src/core/errors.js'

describe('command line', () => {
  it('finds the command with its arguments and options', async () => {
    const parsed = await parseArguments(['apply', 'pair.yaml', '--dry-run', '--run-dir', '/r'])
    assert.ok('input' in parsed)
    assert.deepEqual(parsed.input, { args: { spec: 'pair.yaml' }, options: { dryRun: true, runDir: '/r' } })
    assert.equal(parsed.places.folders.run, '/r')
  })

  it('takes what every command takes before its name, too', async () => {
    for (const words of [
      ['--run-dir', '/r', 'switch', 'ports', '--json'],
      ['--json', 'switch', '--run-dir=/r', 'ports'],
    ]) {
      const parsed = await parseArguments(words)
      assert.ok('input' in parsed)
      assert.deepEqual(parsed.input, { args: {}, options: { runDir: '/r', json: true } })
    }
    const ssh = await parseArguments(['--state-dir', '/s', 'ssh', 'pair/vm1', '--', 'ls', '--json'])
    assert.ok('input' in ssh)
    assert.deepEqual([ssh.input.options, ssh.input.rest], [{ stateDir: '/s' }, ['ls', '--json']])
    await assert.rejects(parseArguments(['--json', 'aply']), {
      message: /^Unknown command 'aply'; did you mean/,
    })
    await assert.rejects(parseArguments(['--run-dir', '/r', 'apply']), {
      hint: /^Usage: vhostkit apply <spec>/,
    })
    await assert.rejects(parseArguments(['--dry-run', 'apply']), { message: /^Unknown option '--dry-run'/ })
  })

  it('refuses what it does not understand with a usage error', async () => {
    for (const words of [
      ['aply'],
      ['apply'],
      ['apply', 'a', 'b'],
      ['plan', 'a', '--no-such'],
      ['switch', 'fly'],
    ]) {
      await assert.rejects(parseArguments(words), { code: 'usage' }, words.join(' '))
    }
  })

  it('says what it did not understand, what was probably meant, and how the command is used', async () => {
    const said = async (...words: string[]) => {
      const error = await parseArguments(words).then(
        () => assert.fail(words.join(' ')),
        (one) => one as VhostkitError,
      )
      return `${error.message} ${error.hint}`
    }
    const listed = '`vhostkit --help` lists the commands.'
    assert.equal(await said('aply', 'x'), `Unknown command 'aply'; did you mean apply? ${listed}`)
    assert.equal(await said('xyzzy'), `Unknown command 'xyzzy'. ${listed}`)
    assert.equal(
      await said('switch', 'prots'),
      "Unknown command 'prots'; did you mean ports? `vhostkit switch --help` lists the commands.",
    )
    const usage = 'Usage: vhostkit apply <spec> [options]; `vhostkit apply --help` says more.'
    assert.equal(await said('apply'), `Missing required argument 'spec'. ${usage}`)
    assert.equal(
      await said('apply', '--dryrun', 'x'),
      `Unknown option '--dryrun'; did you mean --dry-run? ${usage}`,
    )
    assert.match(
      await said('start', 'a', 'b', 'c'),
      /^Too many arguments .* Usage: vhostkit start <deployment> \[machine\] /,
    )
  })

  it('shows the commands to whoever names none, which is no success', async () => {
    for (const [words, inner] of [
      [[], 'apply [options] <spec>'],
      [['switch'], 'install [options]'],
    ] as const) {
      const parsed = await parseArguments([...words])
      assert.ok('result' in parsed)
      assert.equal(parsed.result.exitCode, 2)
      assert.match(parsed.result.text, /^Usage: vhostkit/)
      assert.ok(parsed.result.text.includes(inner), parsed.result.text)
    }
  })

  it('has an example for every command in its help, made of words that it takes', async () => {
    const runnable = walk(commands, []).filter(({ command }) => command.load !== undefined)
    assert.deepEqual(Object.keys(examples).sort(), runnable.map(({ words }) => words.join(' ')).sort())
    for (const { words } of runnable) {
      const help = await parseArguments([...words, '--help'])
      for (const example of examples[words.join(' ')] ?? []) {
        assert.ok('result' in help && help.result.text.includes(`\n  ${example}`), example)
        for (const line of example.split(/ \|\|? | > /)) {
          const [program, ...rest] = line.split(' ')
          if (program === 'vhostkit') assert.ok('input' in (await parseArguments(rest)), line)
        }
      }
    }
  })

  it('has help for every command, and every command can be loaded', async () => {
    const check = async (command: Command, before: string[]) => {
      const words = [...before, command.name]
      const help = await parseArguments([...words, '--help'])
      assert.ok('result' in help && help.result.text.includes(command.summary), words.join(' '))
      for (const inner of command.commands ?? []) await check(inner, words)
      if (command.load !== undefined) assert.equal(typeof (await command.load()).run, 'function')
    }
    for (const command of commands) await check(command, [])
  })

  it('prints its version without loading anything', () => {
    const { status, stdout } = spawnSync(process.execPath, ['bin/vhostkit.js', '--version'], {
      encoding: 'utf8',
    })
    assert.equal(status, 0)
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  })
})

function walk(rows: Command[], before: string[]): { words: string[]; command: Command }[] {
  return rows.flatMap((command) => {
    const words = [...before, command.name]
    return [{ words, command }, ...walk(command.commands ?? [], words)]
  })
}

describe('places', () => {
  it('are those of the system for root, and XDG folders otherwise', () => {
    assert.deepEqual(findPlaces({}, {}, 0).folders, { run: '/run/vhostkit', state: '/var/lib/vhostkit' })
    const env = { XDG_RUNTIME_DIR: '/run/user/7', XDG_STATE_HOME: '/home/u/.state' }
    const user = { run: '/run/user/7/vhostkit', state: '/home/u/.state/vhostkit' }
    assert.deepEqual(findPlaces({}, env, 7).folders, user)
    const bare = { run: '/home/u/.local/state/vhostkit/run', state: '/home/u/.local/state/vhostkit' }
    assert.deepEqual(findPlaces({}, { HOME: '/home/u' }, 7).folders, bare)
  })

  it('are taken from options before the environment', () => {
    const env = { VHOSTKIT_RUN_DIR: '/e/run', VHOSTKIT_STATE_DIR: '/e/state' }
    assert.deepEqual(findPlaces({ runDir: '/o' }, env, 0).folders, { run: '/o', state: '/e/state' })
  })
})

describe('errors as shown', () => {
  it('have code, sentence and hint, for people and for programs', () => {
    const error = new VhostkitError('lock-held', { sentence: 'Pid 7 holds it.', cause: new Error('why') })
    const { text, data, exitCode } = describeError(error)
    assert.equal(
      text,
      'vhostkit: Pid 7 holds it. [lock-held]\n  Wait until it has finished; --wait SECONDS waits longer.',
    )
    const shown = {
      code: 'lock-held',
      sentence: 'Pid 7 holds it.',
      hint: 'Wait until it has finished; --wait SECONDS waits longer.',
      cause: 'why',
    }
    assert.deepEqual(data, { error: shown })
    assert.equal(exitCode, 1)
  })

  it('show each problem of a spec with file, line and path', () => {
    const problem = {
      code: 'spec-value',
      file: 'a.yaml',
      line: 4,
      column: 9,
      path: 'machines[0].cpus',
    } as const
    const { text, exitCode } = describeError(
      new ProblemsFound([{ ...problem, expected: 'a number', found: '"x"', hint: 'Write one.' }]),
    )
    assert.match(text, /^a\.yaml:4:9 machines\[0\]\.cpus: expected a number, found "x"/)
    assert.equal(exitCode, 3)
  })

  it('show what lies below them with --verbose', () => {
    const cause = new Error('no such file', { cause: 'ENOENT' })
    const { text } = describeError(new VhostkitError('program-failed', { sentence: 'x.', cause }), true)
    assert.equal(
      text,
      'vhostkit: x. [program-failed]\n  See that the program shown is installed, and what it said.\n  because: no such file\n  because: ENOENT',
    )
  })

  it('call a permission that is missing no fault', async () => {
    const error = Object.assign(new Error("EACCES: permission denied, scandir '/v'"), { code: 'EACCES' })
    const { text, exitCode } = describeError(error)
    assert.match(text, /^vhostkit: This user may not do that: EACCES.*'\/v'\. \[not-permitted\]/)
    assert.equal(exitCode, 4)
  })

  it('call a full disk, and a HOME that is none, no fault either', () => {
    const failed = (code: string, syscall: string) =>
      describeError(Object.assign(new Error(`${code}: why, ${syscall} '/x'`), { code, syscall }))
    for (const [code, syscall] of [
      ['ENOSPC', 'write'],
      ['ENOENT', 'mkdir'],
      ['ENOTDIR', 'open'],
    ] as const) {
      const { text, exitCode } = failed(code, syscall)
      assert.match(text, /^vhostkit: That could not be written: .*'\/x'\. \[file-failed\]\n.*HOME/)
      assert.equal(exitCode, 4)
    }
    assert.match(failed('EROFS', 'mkdir').text, /\[not-permitted\]\n.*HOME/)
    assert.match(failed('ENOENT', 'open').text, /has a fault/)
  })

  it('refuse a spec that is no file, and never wait for one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vkt-'))
    try {
      execFileSync('mkfifo', [join(folder, 'pipe')])
      for (const [path, why] of [
        [folder, /it is a folder/],
        [join(folder, 'pipe'), /a named pipe/],
        ['/dev/zero', /it is a device/],
      ] as const) {
        await assert.rejects(readSpec(path), ({ code, message }: VhostkitError) => {
          return code === 'spec-unreadable' && why.test(message)
        })
      }
      const large = join(folder, 'large')
      writeFileSync(large, '')
      truncateSync(large, 10 * 1024 ** 3)
      await assert.rejects(readSpec(large), /longer than/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('call a fault of ours a fault', () => {
    assert.equal(
      (describeError(new TypeError('x')).data as { error: { code: string } }).error.code,
      'internal',
    )
  })
})
