import { VhostkitError } from '../../core/errors.js'
import { SwitchClient } from '../../drivers/switch/client.js'
import { switchControl } from '../../drivers/switch/run-folder.js'
import { readSample } from '../../drivers/switch/sample.js'
import { pause } from '../../world/wait-for.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readCount } from '../read-input.js'
import { viewOf } from '../seeing/rates.js'
import { openScreen } from '../seeing/screen.js'
import { type Sort, showTop, sorts } from '../seeing/show-top.js'
import { watchTop } from '../seeing/watch-top.js'

export async function run(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const intervalMs = 1000 * readCount(input, 'interval', 1, 3600, 1)
  const sort = readSort(input)
  const control = switchControl(context.places.folders)
  const live = process.stdout.isTTY === true && process.stdin.isTTY === true
  if (input.options.once === true || input.options.json === true || !live) {
    return printOnce(control, intervalMs, sort, context)
  }
  const screen = openScreen(process.stdin, process.stdout)
  try {
    const color = (process.env.NO_COLOR ?? '') === ''
    await watchTop({ control, intervalMs, sort, color, screen, signal: context.signal })
  } finally {
    screen.close()
  }
  return { text: '', data: null, exitCode: 0 }
}

/** One table: the rates are of the interval before it. */
async function printOnce(
  control: string,
  intervalMs: number,
  sort: Sort,
  { signal, width }: CommandContext,
): Promise<CommandResult> {
  const client = await SwitchClient.connect(control)
  try {
    const before = await readSample(client)
    await pause(intervalMs, signal)
    const view = viewOf(before, await readSample(client))
    const options = { width: width ?? 200, height: null, sort, scroll: 0, color: false, footer: null }
    return { text: showTop(view, options).join('\n'), data: view, exitCode: 0 }
  } finally {
    client.close()
  }
}

function readSort({ options }: CommandInput): Sort {
  const { sort } = options
  if (sort === undefined) return 'name'
  const known = sorts.find((one) => one === sort)
  if (known !== undefined) return known
  throw new VhostkitError('usage', { sentence: `--sort takes ${sorts.join(', ')}; found ${sort}.` })
}
