import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseSpec } from '../../../src/core/spec/parse-spec.js'
import type { Problem } from '../../../src/core/spec/problem.js'

const small = 'version: 1\nname: small\nmachines:\n  - name: vm1\n'

function problemsOf(text: string): Problem[] {
  const parsed = parseSpec(text, 'x.yaml')
  return 'problems' in parsed ? parsed.problems : []
}

function specOf(text: string) {
  const parsed = parseSpec(text, 'x.yaml')
  assert.ok('ok' in parsed, JSON.stringify(parsed))
  return parsed.ok
}

describe('parseSpec of a file that somebody has root read', () => {
  const secret = '$6$salt$0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'

  it('shows nothing of one that has nothing of a spec', () => {
    for (const text of [
      `root:${secret}:20228:0:99999:7:::\nbin:*:20228:0:99999:7:::\n`,
      `root:${secret}: \n`,
      `password: ${secret}\nuser: root\n`,
      `{"token": "${secret}"}`,
      `- ${secret}\n`,
      secret,
      `ssh-rsa ${secret} root\nssh-rsa ${secret} other\n`,
    ]) {
      const problems = problemsOf(text)
      assert.equal(problems.length, 1, text)
      assert.doesNotMatch(JSON.stringify(problems), /salt|root|token|password/, text)
    }
  })

  it('shows nothing of one that is no text', () => {
    for (const text of [`\u007fELF\0${secret}`, `\ufffd\ufffd ${secret}: x`]) {
      const [first, ...more] = problemsOf(text)
      assert.deepEqual([first?.code, first?.expected, more], ['spec-syntax', 'text in UTF-8', []])
      assert.doesNotMatch(JSON.stringify(first), /salt/)
    }
  })

  it('quotes a little of what is wrong in a spec', () => {
    const long = 'x'.repeat(300)
    for (const text of [
      `${small}${long}: 1\n`,
      `${small}a: b\n%${long}\n "${long}" ${long}\n`,
      `${small}x: &${long} 1\ny: *${long}\n`,
    ]) {
      const problems = problemsOf(text)
      assert.ok(problems.length > 0, text)
      assert.doesNotMatch(JSON.stringify(problems), /x{72}/, text)
    }
  })
})

describe('parseSpec', () => {
  it('fills in the defaults', () => {
    assert.deepEqual(specOf(small), {
      version: 1,
      name: 'small',
      driver: 'qemu',
      connect: null,
      networks: [],
      machines: [
        {
          name: 'vm1',
          cpus: 1,
          memoryBytes: 536870912,
          hugepages: 'preferred',
          hugepageBytes: null,
          nodes: 'auto',
          boot: null,
          firmware: 'bios',
          disks: [],
          cloudInit: null,
          interfaces: [],
        },
      ],
      switch: { cores: 'auto', spareCores: 'auto', idle: 'adaptive', user: null },
    })
  })

  it('takes shorthands for what they stand for', () => {
    const short = 'networks: [{ name: lan, host: 10.0.0.1/8 }]\n'
    const long = 'networks: [{ name: lan, host: { addresses: [10.0.0.1/8] } }]\n'
    const nics = '    interfaces: [lan]\n'
    const longNics = '    interfaces: [{ network: lan }]\n'
    assert.deepEqual(specOf(`${short}${small}${nics}`), specOf(`${long}${small}${longNics}`))
    assert.deepEqual(specOf(`${small}    node: 1\n`), specOf(`${small}    node: [1]\n`))
  })

  it('hands the defaults of all machines down', () => {
    const all = 'hugepages: off\nboot: { kernel: /k }\n'
    const [machine] = specOf(`${all}${small}`).machines
    assert.equal(machine?.hugepages, 'off')
    assert.deepEqual(machine.boot, { kernel: '/k', initrd: '', cmdline: 'console=ttyS0' })
    assert.equal(specOf(`${all}${small}    hugepages: required\n`).machines[0]?.hugepages, 'required')
  })

  it('reads JSON, with tabs too', () => {
    const value = { version: 1, name: 'small', machines: [{ name: 'vm1' }] }
    assert.deepEqual(specOf(JSON.stringify(value)), specOf(small))
    assert.deepEqual(specOf(JSON.stringify(value, null, '\t')), specOf(small))
  })

  it('names the place of each problem, in the order of the text', () => {
    const problems = problemsOf(
      `${small}    memory: 255M\n    interfaces:\n      - network: lna\nnetworks: [{ name: lan }]\nx: 1\n`,
    )
    assert.deepEqual(
      problems.map(({ file, line, column, path, code }) => [file, line, column, path, code]),
      [
        ['x.yaml', 5, 13, 'machines[0].memory', 'memory-uneven'],
        ['x.yaml', 7, 18, 'machines[0].interfaces[0].network', 'network-unknown'],
        ['x.yaml', 9, 1, 'x', 'key-unknown'],
      ],
    )
  })

  it('is not fooled by __proto__', () => {
    const [problem] = problemsOf(`${small}__proto__: { polluted: true }\n`)
    assert.equal(problem?.path, '__proto__')
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
    assert.equal(problemsOf(`${small}constructor: 1\n`)[0]?.code, 'key-unknown')
  })

  it('does not blame a network whose own name is wrong', () => {
    const problems = problemsOf(`${small}    interfaces: [lan1]\nnetworks: [{ name: lan/1 }]\n`)
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['networks[0].name'],
    )
  })

  const hostile: [string, string][] = [
    ['brackets', '['.repeat(200_000)],
    ['braces', '{a: '.repeat(60_000)],
    ['dashes', '- '.repeat(120_000)],
    ['question marks', '? '.repeat(120_000)],
    ['a staircase', Array.from({ length: 700 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    [
      'dashes on a staircase',
      Array.from({ length: 90 }, (_, i) => `${' '.repeat(i * 60)}${'- '.repeat(30)}`).join('\n'),
    ],
    ['a long line', `a: ${'x'.repeat(250_000)}`],
    ['too much', 'x'.repeat(1_000_000)],
    ['many keys', Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n')],
    [
      'a bomb of aliases',
      `a: &a [x, x]\n${[...'bcdefghij'].map((c, i) => `${c}: &${c} [*${'abcdefghi'[i]}, *${'abcdefghi'[i]}]`).join('\n')}`,
    ],
    ['many machines', `machines: [${'{}, '.repeat(20_000)}]`],
  ]
  for (const [what, text] of hostile) {
    it(`refuses ${what} soon`, () => {
      const start = performance.now()
      const problems = problemsOf(text)
      assert.ok(problems.length > 0 && problems.length <= 200)
      assert.ok(performance.now() - start < 8_000)
    })
  }

  it('answers every text, and every problem reads well', () => {
    const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.double())
    const key = fc.constantFrom(
      'version',
      'name',
      'networks',
      'machines',
      'mtu',
      'host',
      'memory',
      'interfaces',
      'node',
      'switch',
      'cores',
      'spare-cores',
      'boot',
      'mac',
    )
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        scalar,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value')),
      ),
    }))
    fc.assert(
      fc.property(
        fc.oneof(
          value.map((thing) => JSON.stringify(thing)),
          fc.string(),
        ),
        (text) => {
          for (const { expected, found, hint, line } of problemsOf(text)) {
            assert.ok(expected !== '' && found !== '' && hint !== '' && line > 0)
            // The schema library's own words would mean that a message is missing.
            assert.doesNotMatch(expected, /^(Invalid|Too|Unrecognized|Expected)\b/)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})
