import { askDeployment } from './ask-deployment.js'
import { askEnd } from './ask-end.js'
import { askMachines } from './ask-machines.js'
import type { Answers, Question } from './question.js'
import type { Sights } from './sights.js'

/** The next question that the answers so far leave open; null when all is known. */
export function nextQuestion(sights: Sights, answers: Answers): Question | null {
  const open = (question: Question) => !answers.some(({ id }) => id === question.id)
  return (
    [...askDeployment(sights, answers), ...askMachines(sights, answers)].find(open) ??
    // The plan is only made when there is nothing left to ask before it.
    askEnd(sights, answers).find(open) ??
    null
  )
}
