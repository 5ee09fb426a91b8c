import { makePlan } from '../plan/make-plan.js'
import { showPlan } from '../render/show-plan.js'
import { showProblems } from '../spec/show-problems.js'
import { ownImage } from './guest-choice.js'
import { type Answers, answerTo, choose, type Question } from './question.js'
import type { Sights } from './sights.js'
import { toSpec, toSpecText } from './to-spec.js'

/** The spec, its plan and reasons, and what is to be done with it. */
export function askEnd(sights: Sights, answers: Answers): Question[] {
  const action = answerTo(answers, 'action')
  // The plan is made once, when it is to be shown.
  if (action === '') return [askAction(sights, answers)]
  return action === 'apply' ? [] : [askFile(sights, answers)]
}

function askAction(sights: Sights, answers: Answers): Question {
  const { shown, possible } = review(sights, answers)
  const write = { answer: 'write', label: 'write the spec', about: 'Nothing is started.' }
  return choose({
    id: 'action',
    prompt: 'What shall be done?',
    why: possible
      ? 'The spec says all of this; `vhostkit apply` gives the same again.'
      : 'This host cannot carry it out as it is (see above): go back and change it, or write the spec for another host.',
    shown,
    choices: possible
      ? [
          {
            answer: 'both',
            label: 'write the spec and apply it',
            about: 'What is started follows the file.',
          },
          write,
          { answer: 'apply', label: 'apply it, without a file', about: 'The receipt keeps the spec.' },
        ]
      : [write],
    default: 'write',
  })
}

function askFile({ files }: Sights, answers: Answers): Question {
  const name = answerTo(answers, 'name')
  const free = [`${name}.yaml`, `${name}-2.yaml`, `${name}-3.yaml`, `${name}-new.yaml`]
  return {
    id: 'file',
    prompt: 'Which file shall it be written into?',
    why: 'A new file; with --force also one that is there.',
    shown: [],
    choices: null,
    default: free.find((file) => files.whyUnwritable(file) === null) ?? `${name}-spec.yaml`,
    check: (text) => {
      if (!/^[^\0\r\n]{1,1024}$/.test(text) || text.endsWith('/')) return 'the name of a file'
      return files.whyUnwritable(text)
    },
  }
}

function review(sights: Sights, answers: Answers): { shown: string[]; possible: boolean } {
  const spec = toSpec(sights, answers)
  const image = ownImage(sights, answers)
  const facts = { ...sights.facts, images: [...sights.facts.images, ...(image === null ? [] : [image])] }
  const planned = 'ok' in spec ? makePlan(spec.ok, facts, sights.folders) : spec
  const outcome = 'ok' in planned ? showPlan(planned.ok, sights.width) : showProblems(planned.problems)
  const text = `${toSpecText(sights, answers)}\n${outcome}`
  return { shown: text.trimEnd().split('\n'), possible: 'ok' in planned }
}
