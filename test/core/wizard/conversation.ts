import { nextQuestion } from '../../../src/core/wizard/next-question.js'
import type { Answers, Question } from '../../../src/core/wizard/question.js'
import type { Sights } from '../../../src/core/wizard/sights.js'

/** The whole conversation with somebody who answers so; the questions with their answers. */
export function talk(
  sights: Sights,
  reply: (question: Question) => string,
): { answers: Answers; questions: Question[] } {
  const answers: { id: string; answer: string }[] = []
  const questions: Question[] = []
  for (let next = nextQuestion(sights, answers); next !== null; next = nextQuestion(sights, answers)) {
    questions.push(next)
    answers.push({ id: next.id, answer: reply(next) })
  }
  return { answers, questions }
}

/** The conversation as a text, with everything that somebody who only says "yes" would see. */
export function transcript(sights: Sights): string {
  const { questions } = talk(sights, (question) => question.default)
  const blocks = questions.map(({ id, prompt, why, shown, choices, ...question }) =>
    [
      `[${id}] ${prompt}`,
      ...shown.map((line) => `    ${line}`.trimEnd()),
      `    why: ${why}`,
      ...(choices ?? []).map(({ answer, label, about }) => `    - ${answer}: ${label} (${about})`),
      `    > ${question.default}`,
      '',
    ].join('\n'),
  )
  return blocks.join('\n')
}

/** The captured hosts with one, two and four nodes whose conversations are kept. */
export const keptHosts = ['one-node', 'one-node-kvm', 'one-node-user', 'two-node-libvirt', 'four-node-uneven']
export const conversationFile = (host: string) => `test/core/wizard/conversations/${host}.txt`
