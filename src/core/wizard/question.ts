/**
 * A question as data. Everything in it is worked out before it is shown, from what the host is and what
 * was answered before, so that a terminal, a file of answers and a test see the same.
 */
export interface Question {
  /** Its key in a file of answers; never the same twice in one run. */
  id: string
  prompt: string
  /** One line: why it is asked, or where the default comes from. */
  why: string
  /** What the host has that matters here, a line each. */
  shown: string[]
  /** What there is to choose from; null: a text of its own, if it passes `check`. */
  choices: Choice[] | null
  default: string
  /** What was expected instead of this answer; null when it is good. */
  check(text: string): string | null
}

export interface Choice {
  answer: string
  label: string
  about: string
}

/** The answers so far, in the order they were given; going back takes the last one away. */
export type Answers = readonly { id: string; answer: string }[]

/** The answer to a question; '' when it was not asked. */
export function answerTo(answers: Answers, id: string): string {
  return answers.find((given) => given.id === id)?.answer ?? ''
}

/** A list as people write it: "lan, storage". */
export function splitWords(text: string): string[] {
  return text
    .split(/[\s,]+/)
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

/** One of some choices, checked. */
export function choose(question: Omit<Question, 'check' | 'choices'> & { choices: Choice[] }): Question {
  const words = question.choices.map(({ answer }) => answer)
  return { ...question, check: (text) => (words.includes(text) ? null : `one of ${words.join(', ')}`) }
}
