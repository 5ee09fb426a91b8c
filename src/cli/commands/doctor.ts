import { createInterface } from 'node:readline/promises'
import { examineDomain } from '../../core/doctor/examine-domain.js'
import type { Finding } from '../../core/doctor/finding.js'
import { showRepair } from '../../core/doctor/repair.js'
import { carryOut, type Repaired, repairsOf } from '../../doctor/carry-out.js'
import { examineHost } from '../../doctor/examine-host.js'
import { readDomainFacts } from '../../doctor/read-domain-facts.js'
import { readFacts } from '../../host/facts.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readConnect } from '../read-input.js'
import { showCount } from '../show-count.js'
import { showFindings } from '../show-findings.js'

/** `--json`: { facts, findings: [{code, subject, level, what, why, fix, repair}], repaired: [{code, subject, repair, outcome, why}] }. */
export async function run(
  input: CommandInput,
  { places, report, signal, width }: CommandContext,
): Promise<CommandResult> {
  const { folders, builtSwitch } = places
  const { domain } = input.args
  const connect = readConnect(input)
  const facts = await readFacts(builtSwitch)
  const examine = async (): Promise<Finding[]> => [
    ...(await examineHost(facts, folders)),
    ...(domain === undefined
      ? []
      : examineDomain(await readDomainFacts({ connect, domain, folders, facts }))),
  ]
  const before = await examine()
  const repairs = input.options.fix === true ? repairsOf(before) : []
  const repaired: Repaired[] = []
  if (repairs.length > 0) {
    report.show(['To be mended:', ...repairs.map(({ repair }) => `  ${showRepair(repair)}`)].join('\n'))
    if (await agrees(input, signal)) {
      for (const one of repairs) repaired.push(await carryOut(one, connect, examine))
    } else report.show('Nothing was changed: --yes carries it out.')
  }
  const findings = repaired.length > 0 ? await examine() : before
  const problems = findings.filter(({ level }) => level === 'problem').length
  const notes = findings.filter(({ level }) => level === 'note').length
  const failed = repaired.some(({ outcome }) => outcome === 'undone')
  return {
    text: [
      ...repaired.map(showRepaired),
      ...showFindings(findings, width),
      '',
      `${showCount(problems, 'problem')}, ${showCount(notes, 'note')}.`,
    ].join('\n'),
    data: { facts, findings, repaired },
    exitCode: failed ? 1 : problems > 0 ? 4 : 0,
  }
}

/** Without a terminal nobody can be asked, so nothing is done. */
async function agrees({ options }: CommandInput, signal: AbortSignal): Promise<boolean> {
  if (options.yes === true) return true
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return false
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await lines.question('Do this? [y/N] ', { signal })).trim())
  } finally {
    lines.close()
  }
}

function showRepaired({ repair, outcome, why }: Repaired): string {
  return outcome === 'mended' ? `mended   ${repair}` : `UNDONE   ${repair}: ${why}`
}
