import assert from 'node:assert/strict'
import { select } from '@inquirer/prompts'
import { render } from '@inquirer/testing'
import type { Question } from '../../src/core/wizard/question.js'
import { listConfig, textConfig } from '../../src/wizard/ask.js'
import { liveText } from '../../src/wizard/live-text.js'
import { talk } from '../core/wizard/conversation.js'
import { cloud, sightsOf } from '../core/wizard/sights.js'

export const screensFile = 'test/wizard/screens.txt'

/** Every question there is: two networks, two machines that are not alike, a kernel of one's own. */
export function everyQuestion(): Question[] {
  const own: Record<string, string> = {
    networks: 'lan, storage',
    alike: 'no',
    boot: 'own',
    kernel: '/srv/vmlinuz',
  }
  const image: Record<string, string> = { boot: 'image', image: cloud.path }
  const asked = [own, image].flatMap(
    (wish) =>
      talk(sightsOf('two-node-libvirt'), ({ id, ...question }) => wish[id] ?? question.default).questions,
  )
  return asked.filter(({ id }, index) => asked.findIndex((question) => question.id === id) === index)
}

/** A question in inquirer's own test terminal. */
export async function showQuestion(question: Question, width = 100) {
  return question.choices === null
    ? render(liveText, textConfig(question, width))
    : render(select<string>, listConfig(question, width))
}

/** The screens of all questions as they are first seen. */
export async function renderScreens(): Promise<string> {
  const screens: string[] = []
  for (const question of everyQuestion()) {
    const { getScreen, events, answer } = await showQuestion(question)
    screens.push(`==== ${question.id}\n${trimLines(getScreen())}\n`)
    if (question.check(question.default) !== null) {
      // Only a path is never known beforehand.
      assert.match(question.id, /^(kernel|image)$/)
      events.type(question.id === 'image' ? cloud.path : '/srv/vmlinuz')
    }
    events.keypress('enter')
    await answer
  }
  return screens.join('\n')
}

export function trimLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd()
}
