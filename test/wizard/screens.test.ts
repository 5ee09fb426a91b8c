import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import type { Question } from '../../src/core/wizard/question.js'
import { ask, type Reply } from '../../src/wizard/ask.js'
import { converse } from '../../src/wizard/converse.js'
import { sightsOf } from '../core/wizard/sights.js'
import { everyQuestion, renderScreens, screensFile, showQuestion } from './screens.js'

describe('screens of the wizard', () => {
  const questionOf = (id: string): Question => {
    const question = everyQuestion().find((one) => one.id === id)
    assert.ok(question !== undefined, id)
    return question
  }

  it('are as they were', async () => {
    assert.equal(readFileSync(screensFile, 'utf8'), await renderScreens(), 'run npm run golden')
  })

  it('say what is wrong while it is typed, and take it back when it is right', async () => {
    const { answer, events, getScreen } = await showQuestion(questionOf('machine1.memory'))
    events.type('255')
    assert.match(getScreen(), /expected a size such as 256M/)
    events.type('M')
    assert.match(getScreen(), /expected a multiple of 2M/)
    events.keypress('enter')
    assert.match(getScreen(), /255M[\s\S]*expected a multiple of 2M/, 'Enter does not take it')
    events.keypress('backspace')
    events.keypress('backspace')
    events.type('6M')
    assert.doesNotMatch(getScreen(), /expected/)
    events.keypress('enter')
    assert.equal(await answer, '256M')
  })

  it('say of a path what is there instead, with every key', async () => {
    const { answer, events, getScreen } = await showQuestion(questionOf('kernel'))
    assert.match(getScreen(), /^\? Where is the kernel\?\n/, 'no default that could not be')
    events.keypress('enter')
    assert.match(getScreen(), /expected an absolute path/, 'Enter does not take nothing')
    events.type('/srv/vmlin')
    assert.match(getScreen(), /expected a file that is there; in \/srv there is vmlinuz/)
    events.keypress('enter')
    assert.match(getScreen(), /\/srv\/vmlin\n[\s\S]*expected a file that is there/)
    events.type('uz')
    assert.doesNotMatch(getScreen(), /expected/)
    events.keypress('enter')
    assert.equal(await answer, '/srv/vmlinuz')
  })

  it('fit a narrow terminal, without a word cut in two', async () => {
    for (const question of everyQuestion()) {
      const { getScreen } = await showQuestion(question, 40)
      const notes = getScreen().split('\n').slice(1)
      for (const line of notes.filter((one) => one.startsWith('  '))) assert.ok(line.length <= 40, line)
      assert.ok(notes.join(' ').replace(/\s+/g, ' ').includes(question.why), question.why)
    }
  })

  it('take the default at Enter, and lay it into the line at Tab', async () => {
    const plain = await showQuestion(questionOf('name'))
    plain.events.keypress('enter')
    assert.equal(await plain.answer, 'lab')
    const edited = await showQuestion(questionOf('name'))
    edited.events.keypress('tab')
    edited.events.type('2')
    edited.events.keypress('enter')
    assert.equal(await edited.answer, 'lab2')
  })

  it('choose with the arrows', async () => {
    const { answer, events } = await showQuestion(questionOf('driver'))
    events.keypress('down')
    events.keypress('enter')
    assert.equal(await answer, 'libvirt')
  })

  const askOnce = async (question: Question, keys: string, signal = new AbortController().signal) => {
    const terminal = { input: new PassThrough(), output: new PassThrough(), rows: [] as number[] }
    // inquirer ends what it writes to, as nobody can end a terminal.
    terminal.output.end = () => terminal.output
    terminal.output.resume()
    const reply = ask(question, terminal, signal)
    setTimeout(() => terminal.input.write(keys), 50)
    return reply
  }

  for (const id of ['name', 'driver']) {
    it(`answers, goes back at Esc and ends at Ctrl-C: ${id}`, async () => {
      assert.deepEqual(await askOnce(questionOf(id), '\r'), { answer: questionOf(id).default })
      assert.equal(await askOnce(questionOf(id), '\u001b'), 'back')
      assert.equal(await askOnce(questionOf(id), '\u0003'), 'cancel')
    })
  }

  it('ends a question when the command is ended', async () => {
    const end = new AbortController()
    setTimeout(() => end.abort(new Error('ended')), 50)
    await assert.rejects(askOnce(questionOf('name'), '', end.signal), /ended/)
  })

  it('offers again what was answered before going back, and forgets nothing else', async () => {
    const seen: string[] = []
    const replies: (Reply | null)[] = [{ answer: 'mine' }, 'back', 'back', null, 'cancel']
    const outcome = await converse(sightsOf('one-node'), async (question) => {
      seen.push(`${question.id} ${question.default}`)
      return replies[seen.length - 1] ?? { answer: question.default }
    })
    assert.equal(outcome, null)
    assert.deepEqual(seen, ['name lab', 'networks lan', 'name mine', 'name mine', 'networks lan'])
  })
})
