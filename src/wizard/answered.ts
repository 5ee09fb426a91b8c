import { stripVTControlCharacters, styleText } from 'node:util'
import type { Question } from '../core/wizard/question.js'

/** A terminal, with what stands on it of the questions before, so that going back can take it away again. */
export interface Terminal {
  input: NodeJS.ReadableStream
  output: NodeJS.WritableStream & { columns?: number }
  /** Rows of each question answered so far, with what was shown above it. */
  rows: number[]
}

export function widthOf({ output }: Terminal): number {
  return output.columns ?? 80
}

/** Writes what may not fit the screen, such as a plan, and is never redrawn. @returns its rows. */
export function writeAbove(terminal: Terminal, lines: string[]): number {
  return lines.length === 0 ? 0 : write(terminal, ['', ...lines, ''])
}

/** What stays of a question. */
export function writeAnswered(terminal: Terminal, { prompt, choices }: Question, answer: string): number {
  const shown = choices?.find((choice) => choice.answer === answer)?.label ?? answer
  return write(terminal, [
    `${styleText('green', '✔')} ${styleText('bold', prompt)} ${styleText('cyan', shown)}`,
  ])
}

/** Takes the last rows away. */
export function erase({ output }: Terminal, rows: number): void {
  if (rows > 0) output.write(`\u001b[${rows}A\r\u001b[J`)
}

function write(terminal: Terminal, lines: string[]): number {
  const width = widthOf(terminal)
  terminal.output.write(`${lines.join('\n')}\n`)
  return lines.reduce(
    (sum, line) => sum + Math.max(1, Math.ceil(stripVTControlCharacters(line).length / width)),
    0,
  )
}
