import { styleText } from 'node:util'
import {
  createPrompt,
  isEnterKey,
  isTabKey,
  makeTheme,
  useKeypress,
  usePrefix,
  useState,
} from '@inquirer/core'
import { wrapText } from '../core/render/show-table.js'

export interface LiveTextConfig {
  message: string
  /** Lines below what is typed. */
  notes: string[]
  /** Columns of the terminal. */
  width: number
  default: string
  /** What was expected instead; null when it is good. Called with every key. */
  check(text: string): string | null
}

/** A prompt for one line of text that says what is wrong while it is typed, not only at the end. */
export const liveText = createPrompt<string, LiveTextConfig>((config, done) => {
  const theme = makeTheme({})
  const [status, setStatus] = useState<'idle' | 'done'>('idle')
  const [value, setValue] = useState('')
  const [insisted, setInsisted] = useState(false)
  const prefix = usePrefix({ status, theme })
  const expected = config.check(value === '' ? config.default : value)

  useKeypress((key, line) => {
    if (status === 'done') return
    if (isEnterKey(key)) {
      const answer = value === '' ? config.default : value
      if (config.check(answer) === null) {
        setValue(answer)
        setStatus('done')
        done(answer)
      } else {
        // Enter empties the line of readline; what was typed stays to be corrected.
        line.write(value)
        setInsisted(true)
      }
    } else if (isTabKey(key) && value === '') {
      line.clearLine(0)
      line.write(config.default)
      setValue(config.default)
    } else {
      setValue(line.line)
      setInsisted(false)
    }
  })

  const message = theme.style.message(config.message, status)
  if (status === 'done') return `${prefix} ${message} ${theme.style.answer(value)}`
  const shownDefault =
    value === '' && config.default !== '' ? theme.style.defaultAnswer(config.default) : null
  const wrong = expected !== null && (value !== '' || insisted)
  return [
    [prefix, message, shownDefault, value].filter((part) => part !== null).join(' '),
    [
      ...(wrong ? wrapText(`expected ${expected}`, config.width - 2).map(theme.style.error) : []),
      ...config.notes,
      styleText('dim', '⏎ next • tab edit • esc back • ctrl-c cancel'),
    ].join('\n'),
  ]
})
