import { resolve } from 'node:path'
import { requireSpec, type SpecText } from '../../apply/prepare.js'
import { VhostkitError } from '../../core/errors.js'
import { type Answers, answerTo } from '../../core/wizard/question.js'
import { replay } from '../../core/wizard/replay.js'
import type { Sights } from '../../core/wizard/sights.js'
import { listAddresses, toSpecText } from '../../core/wizard/to-spec.js'
import { exists, readText, writeTextAtomic } from '../../world/files.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readSights } from '../read-sights.js'
import { readStdin } from '../read-stdin.js'
import { applySpec } from './apply.js'
import { initFrom } from './init-from.js'

export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const force = input.options.force === true
  const { answers: file, from } = input.options
  if (typeof from === 'string') {
    if (typeof file === 'string')
      throw new VhostkitError('usage', { sentence: '--from and --answers are two ways to the same spec.' })
    return initFrom(from, input, context)
  }
  if (typeof file !== 'string') requireTerminal()
  const sights = await readSights(context.places, process.cwd(), force)
  const answers =
    typeof file === 'string' ? await replayFile(sights, file) : await askPeople(sights, context.signal)
  return carryOut(sights, answers, force, input, context)
}

async function carryOut(
  sights: Sights,
  answers: Answers,
  force: boolean,
  input: CommandInput,
  context: CommandContext,
): Promise<CommandResult> {
  const action = answerTo(answers, 'action')
  const path = action === 'apply' ? 'answers' : resolve(answerTo(answers, 'file'))
  const specText = { path, text: toSpecText(sights, answers) }
  const spec = requireSpec(specText)
  if (action !== 'apply') await writeSpec(specText, force)
  const applied =
    action === 'write'
      ? null
      : await applySpec({ specText, spec, planOptions: { fileName: path } }, input, context)
  const addresses = listAddresses(sights, answers)
  return {
    text: [
      ...(action === 'apply' ? [] : [`Written: ${path}`]),
      ...(applied === null ? [`Carry it out with: vhostkit apply ${path}`] : [applied.text.trimEnd()]),
      ...(applied === null || addresses.length === 0 ? [] : [`Try: ping -c 3 ${addresses[0]}`]),
      ...(applied === null ? [] : [`Take it down with: vhostkit destroy ${spec.name}`]),
    ].join('\n'),
    data: {
      file: action === 'apply' ? null : path,
      answers: Object.fromEntries(answers.map(({ id, answer }) => [id, answer])),
      spec: specText.text,
      addresses,
      applied: applied === null ? null : applied.data,
    },
    exitCode: applied?.exitCode ?? 0,
  }
}

/** Looked at again just before, since the wizard may have been open for an hour. */
async function writeSpec({ path, text }: SpecText, force: boolean): Promise<void> {
  if (!force && (await exists(path))) {
    throw new VhostkitError('file-exists', { sentence: `${path} is there already; nothing was written.` })
  }
  await writeTextAtomic(path, text, 0o644)
}

function requireTerminal(): void {
  if (process.stdin.isTTY === true && process.stderr.isTTY === true) return
  throw new VhostkitError('usage', {
    sentence: 'vhostkit init asks on a terminal, and this is none.',
    hint: 'Give the answers: `vhostkit init --answers FILE` (or "-" for stdin), such as {name: lab, machines: 2, action: write}; what is left out gets its default. Or write a spec: docs/spec.md.',
  })
}

async function replayFile(sights: Sights, file: string): Promise<Answers> {
  const text = file === '-' ? await readStdin() : await readText(file)
  if (text === null) throw new VhostkitError('answers-refused', { sentence: `There is no file ${file}.` })
  return replay(sights, text, file === '-' ? 'stdin' : file)
}

/** Questions go to stderr: stdout belongs to the result. */
async function askPeople(sights: Sights, signal: AbortSignal): Promise<Answers> {
  const [{ converse }, { ask }] = await Promise.all([
    import('../../wizard/converse.js'),
    import('../../wizard/ask.js'),
  ])
  const terminal = { input: process.stdin, output: process.stderr, rows: [] }
  const answers = await converse(sights, (question) => ask(question, terminal, signal))
  if (answers !== null) return answers
  throw new VhostkitError('interrupted', {
    sentence: 'Cancelled; nothing was written or started.',
    hint: 'Run `vhostkit init` again when you like.',
  })
}
