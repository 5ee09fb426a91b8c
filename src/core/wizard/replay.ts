import { VhostkitError } from '../errors.js'
import { nearestWord } from '../spec/nearest-word.js'
import { readYaml } from '../spec/read-yaml.js'
import { nextQuestion } from './next-question.js'
import type { Answers } from './question.js'
import type { Sights } from './sights.js'

/** Most answers there can be: 64 machines with four each, and some. */
const mostAnswers = 400

/** Answers from a file, by the ids of the questions; what it leaves out gets its default. */
export function replay(sights: Sights, text: string, fileName: string): Answers {
  const given = readAnswers(text, fileName)
  const answers: { id: string; answer: string }[] = []
  const wrong: string[] = []
  const left = new Map(given)
  for (
    let question = nextQuestion(sights, answers);
    question !== null;
    question = nextQuestion(sights, answers)
  ) {
    const { id, check } = question
    const answer = given.get(id) ?? question.default
    const expected = check(answer)
    const found = answer === '' && !given.has(id) ? 'no answer' : JSON.stringify(answer)
    if (expected !== null) wrong.push(`${id}: expected ${expected}, found ${found}`)
    left.delete(id)
    // The default goes on in place of a wrong one, so that all of them are told at once.
    answers.push({ id, answer: expected === null ? answer : question.default })
    if (answers.length > mostAnswers) break
  }
  const ids = answers.map(({ id }) => id)
  for (const id of left.keys()) {
    const meant = nearestWord(id, ids)
    wrong.push(`${id}: not asked here${meant === null ? '' : `; did you mean ${meant}?`}`)
  }
  if (wrong.length > 0) throw refused(fileName, wrong)
  return answers
}

function readAnswers(text: string, fileName: string): Map<string, string> {
  const { value, faults } = readYaml(text)
  if (faults.length > 0) {
    throw refused(
      fileName,
      faults.map(({ line, expected, found }) => `line ${line}: expected ${expected}, found ${found}`),
    )
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw refused(fileName, [
      'expected a mapping from questions to answers, such as {name: lab, machines: 2}',
    ])
  }
  const entries = Object.entries(value).map(([id, answer]): [string, string] => [id, showAnswer(answer)])
  return new Map(entries)
}

/** YAML reads `yes` as a word, `true` as a truth, and lists as lists: all are fine as answers. */
function showAnswer(answer: unknown): string {
  if (Array.isArray(answer)) return answer.map(String).join(', ')
  if (typeof answer === 'boolean') return answer ? 'yes' : 'no'
  return answer === null ? 'none' : String(answer)
}

function refused(fileName: string, wrong: string[]): VhostkitError {
  return new VhostkitError('answers-refused', {
    sentence: `${fileName}: ${wrong.slice(0, 20).join('\n  ')}.`.replace('?.', '?'),
  })
}
