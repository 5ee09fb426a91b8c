import { join } from 'node:path'
import { VhostkitError } from '../../core/errors.js'
import { makeFolder, writeTextAtomic } from '../../world/files.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { manPages } from '../man/pages.js'
import { readVersion } from '../read-version.js'
import { outline } from '../shells/outline.js'

/** One page on stdout, for `man -l -`; or all of them into a folder. */
export async function run({ args, options }: CommandInput, _context: CommandContext): Promise<CommandResult> {
  const pages = manPages(outline(), await readVersion())
  const { to } = options
  if (typeof to === 'string') {
    await makeFolder(to)
    const written = Object.keys(pages)
    for (const name of written) await writeTextAtomic(join(to, name), pages[name] ?? '', 0o644)
    return { text: `${written.length} pages are in ${to}.`, data: { written }, exitCode: 0 }
  }
  const name = args.command === undefined ? 'vhostkit.1' : `vhostkit-${args.command}.1`
  const page = pages[name]
  if (page === undefined)
    throw new VhostkitError('not-found', {
      sentence: `There is no page for ${args.command}.`,
      hint: '`vhostkit --help` lists the commands; of two words the page is "switch-install".',
    })
  return { text: page, data: { page: name, text: page }, exitCode: 0 }
}
