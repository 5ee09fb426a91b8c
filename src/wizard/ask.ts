import { styleText } from 'node:util'
import { createPromptModule } from 'inquirer'
import type { Question } from '../core/wizard/question.js'
import { type LiveTextConfig, liveText } from './live-text.js'

/** Where questions are shown and keys come from; both are a terminal. */
export interface Terminal {
  input: NodeJS.ReadableStream
  output: NodeJS.WritableStream
}

export type Reply = { answer: string } | 'back' | 'cancel'

/** Asks one question: inquirer's own list for choices, a text checked with every key otherwise. Esc goes back. */
export async function ask(question: Question, terminal: Terminal, signal: AbortSignal): Promise<Reply> {
  const leave = new AbortController()
  let back = false
  const onKey = (_: unknown, key: { name?: string } | undefined) => {
    if (key?.name !== 'escape') return
    back = true
    leave.abort()
  }
  const onAbort = () => leave.abort()
  if (isLong(question)) terminal.output.write(`\n${question.shown.join('\n')}\n\n`)
  terminal.input.on('keypress', onKey)
  signal.addEventListener('abort', onAbort)
  try {
    const module = createPromptModule<{
      'live-text': { [Key in keyof LiveTextConfig]: LiveTextConfig[Key] }
    }>({
      ...terminal,
      signal: leave.signal,
    })
    module.registerPrompt('live-text', liveText)
    const { answer } =
      question.choices === null
        ? await module<{ answer: string }>([{ type: 'live-text', name: 'answer', ...textConfig(question) }])
        : await module<{ answer: string }>([{ type: 'select', name: 'answer', ...listConfig(question) }])
    return { answer }
  } catch (error) {
    signal.throwIfAborted()
    if (back) return 'back'
    if (error instanceof Error && /^(ExitPromptError|AbortPromptError)$/.test(error.name)) return 'cancel'
    throw error
  } finally {
    terminal.input.off('keypress', onKey)
    signal.removeEventListener('abort', onAbort)
  }
}

export function textConfig(question: Question): LiveTextConfig {
  const { prompt, check } = question
  return { message: prompt, notes: notesOf(question), default: question.default, check }
}

/** inquirer's list; when it is answered only the first line of the message stays. */
export function listConfig(question: Question) {
  const { prompt, choices } = question
  return {
    message: prompt,
    choices: (choices ?? []).map(({ answer, label, about }) => ({
      value: answer,
      name: label,
      description: about,
    })),
    default: question.default,
    theme: {
      style: {
        message: (text: string, status: string) =>
          [styleText('bold', text), ...(status === 'done' ? [] : notesOf(question))].join('\n'),
        keysHelpTip: () => styleText('dim', '↑↓ choose • ⏎ next • esc back • ctrl-c cancel'),
      },
    },
  }
}

/** What may not fit the screen, such as a plan, stands above the question and is never redrawn. */
function isLong({ shown }: Question): boolean {
  return shown.length > 10
}

function notesOf(question: Question): string[] {
  const { shown, why } = question
  return [...(isLong(question) ? [] : shown).map((line) => `  ${line}`), styleText('cyan', `  ${why}`)]
}
