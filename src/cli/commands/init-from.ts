import { resolve } from 'node:path'
import { requireSpec } from '../../apply/prepare.js'
import { readDomains, readTakeOverSights } from '../../apply/read-take-over.js'
import { VhostkitError } from '../../core/errors.js'
import { besideIt, showLeft, specText } from '../../core/take-over/show-taken-over.js'
import { takeOver } from '../../core/take-over/take-over.js'
import { parseXml } from '../../core/xml/parse-xml.js'
import type { XmlElement } from '../../core/xml/xml.js'
import { exists, readText, writeTextAtomic } from '../../world/files.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readConnect } from '../read-input.js'
import { readStdin } from '../read-stdin.js'

/** A spec from a domain that is there, in place of questions. */
export async function initFrom(
  word: string,
  input: CommandInput,
  { places }: CommandContext,
): Promise<CommandResult> {
  const { connect, to, force } = input.options
  const domains = await readDefinitions(word, input)
  const sights = await readTakeOverSights(
    domains,
    typeof connect === 'string' ? connect : null,
    places.folders,
  )
  const taken = takeOver(domains, sights)
  const text = specText(taken, word)
  const path = to === '-' ? null : resolve(typeof to === 'string' ? to : `${taken.name}.yaml`)
  requireSpec({ path: path ?? 'the spec', text })
  if (path !== null) {
    if (force !== true && (await exists(path))) {
      throw new VhostkitError('file-exists', {
        sentence: `${path} is there already; nothing was written.`,
        hint: 'Choose another with --to FILE ("-": only print it), or say --force.',
      })
    }
    await writeTextAtomic(path, text, 0o600)
  }
  return {
    text:
      path === null
        ? text.trimEnd()
        : [
            `Written: ${path}`,
            ...(taken.left.length === 0 ? [] : ['Not taken over:', ...showLeft(taken.left)]),
            ...(taken.foreign ? besideIt(taken) : []),
            `See what it would become with: vhostkit plan ${path}`,
          ].join('\n'),
    data: { file: path, spec: text, left: taken.left, domains: taken.domains, foreign: taken.foreign },
    exitCode: 0,
  }
}

/** A word with a slash, or that ends like a file of XML, is one: no domain has a slash in its name. */
async function readDefinitions(word: string, input: CommandInput): Promise<XmlElement[]> {
  if (word !== '-' && !word.includes('/') && !word.endsWith('.xml'))
    return readDomains(readConnect(input), word)
  const text = word === '-' ? await readStdin() : await readText(word)
  if (text !== null) return [parseXml(text)]
  throw new VhostkitError('not-found', {
    sentence: `There is no file ${word}.`,
    hint: 'Write one with `virsh dumpxml --inactive DOMAIN >DOMAIN.xml`, or name the domain.',
  })
}
