import { nextQuestion } from '../core/wizard/next-question.js'
import type { Answers, Question } from '../core/wizard/question.js'
import type { Sights } from '../core/wizard/sights.js'
import type { Reply } from './ask.js'

/** Asks until nothing is open. null: cancelled, and nothing has happened. */
export async function converse(
  sights: Sights,
  ask: (question: Question) => Promise<Reply>,
): Promise<Answers | null> {
  let answers: Answers = []
  // What was answered before somebody went back is offered again.
  const remembered = new Map<string, string>()
  for (;;) {
    const question = nextQuestion(sights, answers)
    if (question === null) return answers
    const before = remembered.get(question.id)
    const offered = before !== undefined && question.check(before) === null
    const reply = await ask(offered ? { ...question, default: before } : question)
    if (reply === 'cancel') return null
    if (reply === 'back') {
      answers = answers.slice(0, -1)
    } else {
      remembered.set(question.id, reply.answer)
      answers = [...answers, { id: question.id, answer: reply.answer }]
    }
  }
}
