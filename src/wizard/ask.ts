import { styleText } from 'node:util'
import { createPromptModule } from 'inquirer'
import { wrapText } from '../core/render/show-table.js'
import type { Question } from '../core/wizard/question.js'
import { erase, type Terminal, widthOf, writeAbove, writeAnswered } from './answered.js'
import { type LiveTextConfig, liveText } from './live-text.js'

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
  const width = widthOf(terminal)
  const onAbort = () => leave.abort()
  const above = writeAbove(terminal, isLong(question) ? question.shown : [])
  terminal.input.on('keypress', onKey)
  signal.addEventListener('abort', onAbort)
  try {
    const module = createPromptModule<{
      'live-text': { [Key in keyof LiveTextConfig]: LiveTextConfig[Key] }
    }>({
      input: terminal.input,
      output: terminal.output,
      // What stays of it is written below: one that was left by Esc or Ctrl-C leaves nothing.
      clearPromptOnDone: true,
      signal: leave.signal,
    })
    module.registerPrompt('live-text', liveText)
    const { answer } =
      question.choices === null
        ? await module<{ answer: string }>([
            { type: 'live-text', name: 'answer', ...textConfig(question, width) },
          ])
        : await module<{ answer: string }>([
            { type: 'select', name: 'answer', ...listConfig(question, width) },
          ])
    terminal.rows.push(above + writeAnswered(terminal, question, answer))
    return { answer }
  } catch (error) {
    signal.throwIfAborted()
    if (back) {
      erase(terminal, above + (terminal.rows.pop() ?? 0))
      return 'back'
    }
    if (error instanceof Error && /^(ExitPromptError|AbortPromptError)$/.test(error.name)) return 'cancel'
    throw error
  } finally {
    terminal.input.off('keypress', onKey)
    signal.removeEventListener('abort', onAbort)
  }
}

export function textConfig(question: Question, width: number): LiveTextConfig {
  const { prompt, check } = question
  return { message: prompt, notes: notesOf(question, width), width, default: question.default, check }
}

/** inquirer's list. */
export function listConfig(question: Question, width: number) {
  const { prompt, choices } = question
  return {
    message: prompt,
    choices: (choices ?? []).map(({ answer, label, about }) => ({
      value: answer,
      name: label,
      description: wrapText(about, width).join('\n'),
    })),
    default: question.default,
    theme: {
      style: {
        message: (text: string, status: string) =>
          [styleText('bold', text), ...(status === 'done' ? [] : notesOf(question, width))].join('\n'),
        keysHelpTip: () => styleText('dim', '↑↓ choose • ⏎ next • esc back • ctrl-c cancel'),
      },
    },
  }
}

/** What may not fold the screen, such as a plan, stands above the question and is never redrawn. */
function isLong({ shown }: Question): boolean {
  return shown.length > 10
}

function notesOf(question: Question, width: number): string[] {
  const { shown, why } = question
  const fold = (line: string) => wrapText(line, width - 2).map((piece) => `  ${piece}`)
  return [
    ...(isLong(question) ? [] : shown).flatMap(fold),
    ...fold(why).map((line) => styleText('cyan', line)),
  ]
}
