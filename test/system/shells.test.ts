import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { manPages } from '../../src/cli/man/pages.js'
import { bashCompletion } from '../../src/cli/shells/bash.js'
import { fishCompletion } from '../../src/cli/shells/fish.js'
import { flatten, outline } from '../../src/cli/shells/outline.js'
import { zshCompletion } from '../../src/cli/shells/zsh.js'
import { testFolderPrefix } from './host-state.js'

/** The real shells and the real readers of man pages; `bin/setup` installs them. */
describe('shells and man pages', () => {
  const base = mkdtempSync(join(tmpdir(), testFolderPrefix.slice(1)))
  const state = join(base, 'state')
  const env = { ...process.env, VHOSTKIT_STATE_DIR: state, PATH: `${join(base, 'bin')}:${process.env.PATH}` }
  const run = (program: string, args: string[], input?: string) => {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      env,
      encoding: 'utf8',
      cwd: base,
      ...(input === undefined ? {} : { input }),
    })
    assert.equal(error, undefined)
    return { status, stdout, stderr }
  }

  before(() => {
    mkdirSync(join(base, 'bin'))
    symlinkSync(resolve('bin/vhostkit.js'), join(base, 'bin/vhostkit'))
    mkdirSync(join(base, 'specs'))
    writeFileSync(join(base, 'specs/pair.yaml'), '')
    writeFileSync(join(base, 'vhostkit.bash'), bashCompletion(outline()))
    writeFileSync(join(base, '_vhostkit'), zshCompletion(outline()))
    writeFileSync(join(base, 'vhostkit.fish'), fishCompletion(outline()))
  })
  after(() => rmSync(base, { recursive: true }))

  const cases: [string, string[]][] = [
    ['vhostkit pla', ['plan']],
    ['vhostkit switch st', ['start', 'stats', 'status', 'stop']],
    ['vhostkit switch --', []],
    ['vhostkit plan specs/', ['specs/pair.yaml']],
    ['vhostkit plan --driver ', ['libvirt', 'qemu']],
    ['vhostkit plan --driver qemu --wa', ['--wait']],
    ['vhostkit top --sort d', ['drops']],
    ['vhostkit completion ', ['bash', 'fish', 'zsh']],
    ['vhostkit --vers', ['--version']],
    ['vhostkit switch start --qu', ['--quiet']],
    ['vhostkit stop --gr', ['--grace']],
  ]

  it('bash completes', () => {
    for (const [line, wanted] of cases) {
      const script = [
        'source ./vhostkit.bash',
        'compopt() { :; }', // only known while somebody types
        `COMP_WORDS=(${line
          .split(' ')
          .map((word) => `'${word}'`)
          .join(' ')})`,
        `COMP_CWORD=${line.split(' ').length - 1}`,
        '_vhostkit',
        'declare -p COMPREPLY',
      ]
      const { stdout, stderr } = run('bash', ['--norc', '-c', script.join('\n')])
      const found = [...stdout.matchAll(/\[\d+\]="([^"]*)"/g)].map(([, word = '']) => word).sort()
      assert.equal(stderr, '', line)
      if (line.endsWith('--')) assert.deepEqual(found, ['--help'], line)
      else assert.deepEqual(found, wanted, line)
    }
  })

  it('fish completes', () => {
    for (const [line, wanted] of cases) {
      const { stdout, stderr } = run('fish', [
        '--no-config',
        '-c',
        `source vhostkit.fish; complete -C ${JSON.stringify(line)}`,
      ])
      const found = stdout
        .split('\n')
        .map((text) => text.split('\t')[0] ?? '')
        .filter((word) => word !== '')
        .sort()
      assert.equal(stderr, '', line)
      if (line.endsWith('--')) assert.ok(found.includes('--help'), line)
      else assert.deepEqual(found, wanted, line)
    }
  })

  it('zsh and fish take their scripts, and zsh offers every command', () => {
    assert.deepEqual(run('zsh', ['-n', '_vhostkit']), { status: 0, stdout: '', stderr: '' })
    assert.deepEqual(run('fish', ['-n', 'vhostkit.fish']), { status: 0, stdout: '', stderr: '' })
    assert.notEqual(run('zsh', ['-n'], 'f() { (').status, 0)
    // A terminal of zsh's own: what a Tab lists is read from it.
    const script = [
      'zmodload zsh/zpty',
      'zpty z zsh -f -i',
      'zpty -w z \'PROMPT=; fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; LISTMAX=9999; bindkey "^I" complete-word; setopt AUTO_LIST; compdef _vhostkit vhostkit; print ready\'',
      "zpty -r -m z text '*ready*'; sleep 1",
      "zpty -w -n z $'vhostkit switch \\t\\t'",
      'sleep 2; while zpty -r -t z text; do print -r -- $text; done',
      'zpty -d z',
    ]
    const { stdout } = run('zsh', ['-f', '-c', script.join('\n')])
    for (const word of ['restart', 'workers', 'metrics'])
      assert.ok(stdout.includes(word), `${word} in ${stdout}`)
  })

  it('deployments are completed from the state folder', () => {
    const { status, stdout } = run('vhostkit', ['completion', 'deployments'])
    assert.deepEqual([status, stdout], [0, ''])
  })

  it('no option takes a value here and none there', () => {
    const takes = new Map<string, boolean>()
    for (const { flag, value } of flatten(outline()).flatMap(({ options }) => options)) {
      assert.equal(takes.get(flag) ?? value !== null, value !== null, flag)
      takes.set(flag, value !== null)
    }
  })

  it('man pages have no faults for groff and mandoc', () => {
    const pages = manPages(outline(), '0.1.0')
    assert.equal(Object.keys(pages).length, outline().inner.length + 1)
    for (const [name, text] of Object.entries(pages)) writeFileSync(join(base, name), text)
    const names = Object.keys(pages)
    const lint = run('mandoc', ['-Tlint', '-Wwarning', ...names])
    // The pages come from a table that knows no day.
    const said = (lint.stdout + lint.stderr)
      .split('\n')
      .filter((line) => line !== '' && !/missing date/.test(line))
    assert.deepEqual(said, [])
    for (const name of names) {
      const { status, stderr } = run('man', ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', name])
      assert.deepEqual([status, stderr], [0, ''], name)
    }
    writeFileSync(join(base, 'bad.1'), '.TH\n.SS\n.nosuch x\n')
    assert.notEqual(run('mandoc', ['-Tlint', '-Wwarning', 'bad.1']).stdout, '')
  })
})
