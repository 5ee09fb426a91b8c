import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readFileKind } from '../../src/world/file-kind.js'
import {
  installText,
  listFolder,
  makeFolder,
  readTail,
  readText,
  removeTornWrites,
  writeTextAtomic,
} from '../../src/world/files.js'
import { parseHolder, takeLock } from '../../src/world/lock.js'
import { isAlive, parseProcessStat, readArguments, sendSignal } from '../../src/world/processes.js'
import { runProgram } from '../../src/world/run-program.js'
import { startLogged } from '../../src/world/start-logged.js'
import { pause, WaitedTooLong, waitFor, withLimit } from '../../src/world/wait-for.js'

describe('world', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vkt-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('makes a folder and those above it, and gives up where there can be none', async () => {
    const deep = join(folder, 'a/b/c')
    for (const path of [deep, deep, join(folder, 'a')]) await makeFolder(path, 0o700)
    assert.equal(statSync(deep).mode & 0o777, 0o700)
    writeFileSync(join(folder, 'file'), '')
    await assert.rejects(makeFolder(join(folder, 'file')), { code: 'EEXIST' })
    await assert.rejects(makeFolder(join(folder, 'file/a/b')), { code: 'ENOTDIR' })
    // Where Node's own recursive one never ends.
    await assert.rejects(makeFolder('/proc/vhostkit/state'), { code: 'ENOENT' })
  })

  it('tells a file from what one would wait for', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')])
    symlinkSync(join(folder, 'pipe'), join(folder, 'link'))
    const kinds = ['pipe', 'link', '.', 'missing'].map((name) => readFileKind(join(folder, name)))
    assert.deepEqual(await Promise.all(kinds), ['other', 'other', 'folder', null])
    assert.deepEqual([await readFileKind('/dev/zero'), await readFileKind('/etc/passwd')], ['other', 'file'])
  })

  it('runs a program with arguments that no shell sees', async () => {
    const { ok, stdout } = await runProgram('printf', ['%s|', '$HOME', '; ls', 'a b'])
    assert.deepEqual([ok, stdout], [true, '$HOME|; ls|a b|'])
  })

  it('hears a program in one language, whatever the locale of who runs us', async () => {
    const locale = process.env.LC_ALL
    process.env.LC_ALL = 'de_DE.UTF-8'
    try {
      assert.equal((await runProgram('printenv', ['LC_ALL'], { env: { MORE: '1' } })).stdout, 'C\n')
    } finally {
      if (locale === undefined) delete process.env.LC_ALL
      else process.env.LC_ALL = locale
    }
  })

  it('says in one sentence why a program failed', async () => {
    assert.equal((await runProgram('false', [])).failure, 'false: exit code 1')
    assert.match((await runProgram('/no/such/program', [])).failure, /ENOENT/)
    const late = await runProgram('sleep', ['5'], { timeoutMs: 50 })
    assert.deepEqual([late.ok, late.timedOut, late.failure], [false, true, 'sleep 5: did not end in time'])
  })

  it('starts a program detached, its output in a log', async () => {
    const log = join(folder, 'log')
    const program = await startLogged(['sh', '-c', 'echo said; exit 7'], log)
    const ended = await waitFor({ what: 'its end', limitMs: 5_000, everyMs: 5 }, () => program.ended())
    assert.deepEqual(ended, { exitCode: 7, signal: null })
    assert.equal(await readTail(log), 'said')
    await assert.rejects(startLogged(['/no/such/program'], log), /could not be started/)
  })

  it('writes a file whole and leaves no other', async () => {
    const path = join(folder, 'state.json')
    await writeTextAtomic(path, 'one')
    await writeTextAtomic(path, 'two')
    assert.equal(await readText(path), 'two')
    assert.deepEqual(readdirSync(folder), ['state.json'])
  })

  it('installs a file of exactly the mode told, and narrows others by the umask', async () => {
    const umask = process.umask(0o077)
    try {
      await installText(join(folder, 'installed'), 'text', 0o755)
      await writeTextAtomic(join(folder, 'written'), 'text', 0o644)
    } finally {
      process.umask(umask)
    }
    const modes = ['installed', 'written'].map((name) => statSync(join(folder, name)).mode & 0o777)
    assert.deepEqual(modes, [0o755, 0o600])
  })

  it('reads what is not there as nothing, and refuses what is too long', async () => {
    assert.equal(await readText(join(folder, 'none')), null)
    assert.deepEqual(await listFolder(join(folder, 'none')), [])
    writeFileSync(join(folder, 'long'), 'x'.repeat(100))
    await assert.rejects(readText(join(folder, 'long'), 99), /longer than 99 bytes/)
  })

  it('removes what killed writers left, and nothing else', async () => {
    for (const name of ['.a.json.12.tmp', '.ab.json.12.tmp', '.a.json.x.tmp', 'a.json']) {
      writeFileSync(join(folder, name), '')
    }
    await removeTornWrites(join(folder, 'a.json'))
    assert.deepEqual(readdirSync(folder).sort(), ['.a.json.x.tmp', '.ab.json.12.tmp', 'a.json'])
  })

  it('ends a wait for somebody else at an abort', async () => {
    const controller = new AbortController()
    const waiting = withLimit('nothing', 60_000, new Promise(() => undefined), controller.signal)
    controller.abort(new Error('enough'))
    await assert.rejects(waiting, /enough/)
  })

  it('hears of what was waited for also when it fails after the wait', async () => {
    const unheard: unknown[] = []
    const hear = (reason: unknown) => unheard.push(reason)
    process.on('unhandledRejection', hear)
    try {
      const late = pause(1).then(() => assert.fail('late'))
      const aborted = AbortSignal.abort(new Error('enough'))
      await assert.rejects(withLimit('nothing', 60_000, late, aborted), /enough/)
      await pause(10)
    } finally {
      process.off('unhandledRejection', hear)
    }
    assert.deepEqual(unheard, [])
  })

  it('waits with a limit and says for what', async () => {
    let asked = 0
    assert.equal(
      await waitFor({ what: 'three', limitMs: 1_000, everyMs: 1 }, () => ++asked === 3 && 'yes'),
      'yes',
    )
    const never = waitFor({ what: 'the moon', limitMs: 10, everyMs: 1 }, () => null)
    await assert.rejects(
      never,
      (error) => error instanceof WaitedTooLong && /for the moon/.test(error.message),
    )
    await assert.rejects(withLimit('an answer', 5, new Promise(() => undefined)), /for an answer/)
    const aborted = AbortSignal.abort(new Error('stop'))
    await assert.rejects(
      waitFor({ what: 'x', limitMs: 1_000, signal: aborted }, () => null),
      /stop/,
    )
  })

  it('takes processes apart, brackets and all, and counts zombies as dead', async () => {
    const stat = parseProcessStat(`7 (a) b (c)) Z 1 ${'0 '.repeat(17)}4711 0`)
    assert.deepEqual(stat, { pid: 7, name: 'a) b (c)', state: 'Z', parent: 1, startTime: 4711 })
    assert.equal(await isAlive(process.pid), true)
    assert.equal(await isAlive({ pid: process.pid, startTime: 1 }), false)
    assert.equal(await isAlive(2 ** 22 + 1), false)
    assert.ok((await readArguments(process.pid))?.some((word) => /node|mocha/.test(word)))
  })

  it('signals one process, never a group', () => {
    // Signal 0 asks only: were a group taken, this would be true.
    for (const pid of [0, -1, 1, -process.pid, Number.NaN, 1.5]) {
      assert.throws(() => sendSignal(pid, 0 as unknown as NodeJS.Signals), /no process of ours/)
    }
    assert.equal(sendSignal(process.pid, 0 as unknown as NodeJS.Signals), true)
    assert.equal(sendSignal(2 ** 22 + 1, 0 as unknown as NodeJS.Signals), false)
  })

  it('gives the lock to one at a time', async () => {
    const first = await takeLock(folder, 'first', 10)
    assert.ok(first.taken)
    const second = await takeLock(folder, 'second', 10)
    assert.ok(!second.taken)
    assert.equal(second.holder?.command, 'first')
    await first.release()
    assert.deepEqual(readdirSync(folder), [])
  })

  it('takes over the lock of the dead, also a torn one, but once', async () => {
    for (const text of [
      JSON.stringify({ pid: process.pid, startTime: 1, command: 'old', since: '' }),
      '{"pid"',
    ]) {
      writeFileSync(join(folder, 'lock'), text)
      const taken = await takeLock(folder, 'new', 1_000)
      assert.ok(taken.taken)
      assert.equal((await takeLock(folder, 'third', 10)).taken, false)
      await taken.release()
    }
    assert.equal(existsSync(join(folder, 'lock.takeover')), false)
    assert.equal(parseHolder('[]'), null)
  })
})
