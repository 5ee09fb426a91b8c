import { readOrphans } from '../../apply/orphan-ports.js'
import { readReceipts } from '../../apply/receipt.js'
import { switchControl } from '../../apply/switch-alone.js'
import { askSwitch } from '../../drivers/switch/client.js'
import { examinePort, examineStray, examineSwitch } from '../../drivers/switch/examine-ports.js'
import { readPorts } from '../../drivers/switch/ports.js'
import { readSwitch } from '../../drivers/switch/process.js'
import { examineFacts } from '../../host/examine-facts.js'
import { examineFolders } from '../../host/examine-folders.js'
import { readFacts } from '../../host/facts.js'
import { type Finding, problem } from '../../host/finding.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import type { Places } from '../places.js'

export async function run(_input: CommandInput, { places }: CommandContext): Promise<CommandResult> {
  const facts = await readFacts(places.builtSwitch)
  const findings = [
    ...examineFacts(facts),
    ...(await examineFolders(places.folders)),
    ...(await examineRunning(places)),
    ...(await examineReceipts(places)),
  ]
  const problems = findings.filter(({ level }) => level === 'problem').length
  const notes = findings.filter(({ level }) => level === 'note').length
  const summary = `${problems} problems, ${notes} notes.`
  return {
    text: `${findings.map(showFinding).join('\n')}\n\n${summary}`,
    data: { facts, findings },
    exitCode: problems > 0 ? 4 : 0,
  }
}

async function examineRunning({ folders }: Places): Promise<Finding[]> {
  const control = switchControl(folders)
  const info = await readSwitch(control)
  if (info === null) return [examineSwitch(info, control)]
  const [ports, { workers }, orphans] = await Promise.all([
    readPorts(control),
    askSwitch(control, 'worker.list'),
    readOrphans(folders),
  ])
  return [
    examineSwitch(info, control),
    ...ports.filter(({ name }) => !orphans.includes(name)).map((port) => examinePort(port, workers)),
    ...examineStray(info.lost, orphans),
  ]
}

async function examineReceipts({ folders }: Places): Promise<Finding[]> {
  const receipts = await readReceipts(folders.state)
  return receipts
    .filter(({ status }) => status === 'changing')
    .map(({ deployment, operation }) =>
      problem(
        `deployment ${deployment}`,
        `"${operation}" did not end`,
        'It was killed, or a step of it failed: a part may be there.',
        `Apply its spec again, or \`vhostkit destroy ${deployment}\`.`,
      ),
    )
}

const marks = { ok: 'ok     ', note: 'note   ', problem: 'PROBLEM' }

function showFinding({ subject, level, what, why, fix }: Finding): string {
  const lines = [why, fix].filter((line) => line !== '').map((line) => `          ${line}`)
  return [`${marks[level]}  ${subject}: ${what}`, ...lines].join('\n')
}
