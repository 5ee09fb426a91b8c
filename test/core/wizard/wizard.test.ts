import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { gib } from '../../../src/core/spec/size.js'
import { nextQuestion } from '../../../src/core/wizard/next-question.js'
import { answerTo, type Question } from '../../../src/core/wizard/question.js'
import { replay } from '../../../src/core/wizard/replay.js'
import type { Sights } from '../../../src/core/wizard/sights.js'
import { listAddresses, toSpec, toSpecText } from '../../../src/core/wizard/to-spec.js'
import { specOf } from '../../plan-of.js'
import { conversationFile, keptHosts, talk, transcript } from './conversation.js'
import { cd, cloud, sightsOf } from './sights.js'

/** Texts that somebody may type, good and bad; the checks of the questions tell which. */
const typed = [
  'vm1',
  'vm2',
  'vm1-2',
  'a.b',
  '-x',
  '',
  'lan',
  'lan, storage',
  'lan,lan',
  'storage lan',
  '1',
  '2',
  '3',
  '17',
  '0',
  '256',
  '257',
  '1e3',
  '256M',
  '255M',
  '2G',
  '1T',
  '16m',
  '64MiB',
  '3000000K',
  'none',
  '10.1.0.1/24',
  '192.168.77.1/24',
  '10.1.0.9/16',
  '10.2.0.1/31',
  '127.0.0.1/8',
  'fd00::1/64',
  '10.3.0.1/30',
  '/srv/k',
  cloud.path,
  cd.path,
  'k',
  '/a b/"c"',
  'console=ttyS0 a: b # c',
  'null',
  'true',
  "it's",
  'out.yaml',
  '3G',
  '10G',
  'admin',
  'lab.yaml',
  './lab.yaml',
  '[x]',
]

describe('wizard', () => {
  for (const host of keptHosts) {
    it(`talks with somebody who takes every default: ${host}`, () => {
      assert.equal(
        readFileSync(conversationFile(host), 'utf8'),
        transcript(sightsOf(host)),
        'run npm run golden and read the difference',
      )
    })
  }

  it('gives a spec that parseSpec takes, whatever valid answers it gets', function () {
    this.timeout(30_000)
    fc.assert(
      fc.property(
        fc.constantFrom('one-node', 'two-node-libvirt', 'four-node-uneven', 'one-node-user'),
        fc.array(fc.nat(), { minLength: 1, maxLength: 60 }),
        (host, numbers) => {
          const sights = sightsOf(host)
          let at = 0
          const pick = (question: Question) => {
            const texts = question.choices?.map(({ answer }) => answer) ?? typed
            const good = texts.filter((text) => question.check(text) === null)
            if (question.default === '') assert.match(question.id, /^(kernel|image)$/)
            else good.push(question.default)
            assert.equal(question.check(question.default) === null, question.default !== '', question.id)
            return good[(numbers[at++ % numbers.length] ?? 0) % good.length] ?? ''
          }
          const { answers } = talk(sights, pick)
          const parsed = toSpec(sights, answers)
          assert.ok('ok' in parsed, `${JSON.stringify(answers)}: ${JSON.stringify(parsed)}`)
          // The same answers from a file give the same spec.
          const given = JSON.stringify(Object.fromEntries(answers.map(({ id, answer }) => [id, answer])))
          assert.equal(toSpecText(sights, replay(sights, given, 'x')), toSpecText(sights, answers))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('asks only what it cannot know', () => {
    const ids = (host: string) =>
      talk(sightsOf(host), (question) => question.default).questions.map(({ id }) => id)
    assert.ok(ids('two-node-libvirt').includes('driver'))
    assert.ok(!ids('one-node').includes('driver'), 'without libvirt there is one way')
    assert.ok(
      !ids('one-node-user').includes('host.lan'),
      'without the right to make taps there is no address',
    )
    assert.ok(!ids('one-node').includes('hugepages'), 'without any there is no choice')
    assert.ok(!ids('one-node').includes('networks.'), 'one network, so no question which')
  })

  it('goes back by forgetting the last answer', () => {
    const sights = sightsOf('one-node')
    const before = nextQuestion(sights, [{ id: 'name', answer: 'x' }])
    const { answers } = talk(sights, (question) => question.default)
    answers.forEach((_, index) => {
      assert.equal(nextQuestion(sights, answers.slice(0, index))?.id, answers[index]?.id)
    })
    assert.equal(before?.id, 'networks')
  })

  it('chooses a subnet that nobody uses, and gives the machines addresses in it', () => {
    const sights = sightsOf('one-node')
    const { answers } = talk(sights, (question) => question.default)
    assert.equal(answerTo(answers, 'host.lan'), '192.168.78.1/24')
    const spec = specOf(toSpecText(sights, answers))
    assert.deepEqual(
      spec.machines.map(({ boot }) => /vhostkit\.ip=([\d./]+)/.exec(JSON.stringify(boot))?.[1]),
      ['192.168.78.11/24', '192.168.78.12/24'],
    )
  })

  it('makes disks over an image, a user with a key, and addresses that the guests are told', () => {
    const sights = sightsOf('one-node')
    const { answers, questions } = talk(sights, ({ id, ...question }) =>
      id === 'boot' ? cloud.path : id === 'firmware' ? 'uefi' : question.default,
    )
    const ids = questions.map(({ id }) => id)
    for (const id of ['disk', 'firmware', 'user', 'key']) assert.ok(ids.includes(id), id)
    const { machines } = specOf(toSpecText(sights, answers))
    assert.deepEqual(
      machines.map(({ disks, interfaces, firmware, cloudInit, boot }) => [
        disks.map(({ image, sizeBytes, use }) => [image, sizeBytes, use]),
        interfaces[0]?.addresses,
        firmware,
        [cloudInit?.user, cloudInit?.sshKeys.length],
        boot,
      ]),
      [11, 12].map((last) => [
        [[cloud.path, 10 * gib, 'own']],
        [`192.168.78.${last}/24`],
        'uefi',
        ['admin', 1],
        null,
      ]),
    )
    assert.deepEqual(listAddresses(sights, answers), ['192.168.78.11', '192.168.78.12'])
    const action = questions.find(({ id }) => id === 'action')
    assert.ok(
      action?.choices?.some(({ answer }) => answer === 'both'),
      action?.shown.join('\n'),
    )
  })

  it('installs from a CD onto an empty disk, without a seed', () => {
    const sights = sightsOf('one-node')
    const { answers, questions } = talk(sights, ({ id, ...question }) =>
      id === 'boot' ? cd.path : question.default,
    )
    assert.ok(!questions.some(({ id }) => id === 'user'))
    const [machine] = specOf(toSpecText(sights, answers)).machines
    assert.deepEqual(
      [machine?.boot, machine?.disks.map(({ use }) => use), machine?.cloudInit],
      ['cdrom', ['own', 'cdrom'], null],
    )
  })

  it('asks nothing of a seed that nobody could make, or of keys that nobody has', () => {
    const ids = (changes: Partial<Sights>) =>
      talk(sightsOf('one-node', changes), ({ id, ...question }) =>
        id === 'boot' ? cloud.path : question.default,
      )
        .questions.map(({ id }) => id)
        .filter((id) => ['user', 'key', 'firmware'].includes(id))
    const { facts } = sightsOf('one-node')
    assert.deepEqual(ids({ facts: { ...facts, makers: ['qemu-img'], uefi: null } }), [])
    assert.deepEqual(ids({ keys: [], facts: { ...facts, uefi: null } }), ['user'])
    const size = talk(sightsOf('one-node'), ({ id, ...question }) =>
      id === 'boot' ? cloud.path : question.default,
    ).questions.find(({ id }) => id === 'disk')
    assert.match(size?.check('2G') ?? '', /at least 3G/)
    assert.equal(size?.check('3G'), null)
  })

  it('only offers to write what the host cannot carry out', () => {
    const { questions } = talk(sightsOf('two-node-libvirt'), ({ id, ...question }) =>
      id === 'memory' ? '32G' : id === 'hugepages' ? 'required' : question.default,
    )
    const action = questions.find(({ id }) => id === 'action')
    assert.deepEqual(
      action?.choices?.map(({ answer }) => answer),
      ['write'],
    )
    assert.match(action?.shown.join('\n') ?? '', /hugepages-short/)
  })

  it('tells all that is wrong with a file of answers at once', () => {
    const refuse = (text: string, pattern: RegExp) =>
      assert.throws(() => replay(sightsOf('one-node'), text, 'a.yaml'), {
        code: 'answers-refused',
        message: pattern,
      })
    refuse('nmae: x', /nmae: not asked here; did you mean name\?/)
    refuse('{cpus: many, memory: 3}', /cpus: expected a whole number.*"many"[\s\S]*memory: expected a size/)
    refuse('- a', /a mapping/)
    refuse('', /a mapping/)
    refuse('a: [', /line 1/)
    refuse('machines: 2\nalike: maybe', /alike: expected one of yes, no/)
    refuse('host.lan: 192.168.77.9/24', /192\.168\.77\.0\/24 is in use/)
    refuse('file: lab.yaml', /not there yet/)
  })

  it('takes answers as YAML has them', () => {
    const text = 'networks: [lan, storage]\nmachines: 3\nalike: true\nnetworks.: x'.replace(
      '\nnetworks.: x',
      '',
    )
    const answers = replay(sightsOf('one-node'), text, 'a.yaml')
    const spec = specOf(toSpecText(sightsOf('one-node'), answers))
    assert.deepEqual([spec.networks.length, spec.machines.length], [2, 3])
  })
})
