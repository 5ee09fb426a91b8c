import { runDemo } from '../../demo/demo.js'
import { showResult } from '../../demo/demo-result.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readCount } from '../read-input.js'

export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { places, signal, report } = context
  const { root, builtSwitch } = places
  const kills = readCount(input, 'kills', 5, 10_000)
  const result = await runDemo({ root, builtSwitch, kills, signal, stages: report })
  return { text: showResult(result), data: result, exitCode: result.ok ? 0 : 1 }
}
