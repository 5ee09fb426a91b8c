import type { Finding } from '../core/doctor/finding.js'
import { wrapText } from '../core/render/show-table.js'

const marks = { ok: 'ok     ', note: 'note   ', problem: 'PROBLEM' }
const levels = ['ok', 'note', 'problem']
const indent = ' '.repeat(10)

/**
 * What `doctor` found, the worst last, above the sum, where one looks first. What many things have in common is told
 * once, with all their names: of 40 ports one reads one line and one thing to do.
 */
export function showFindings(findings: readonly Finding[], width: number | null): string[] {
  const sorted = [...findings].sort((a, b) => levels.indexOf(a.level) - levels.indexOf(b.level))
  const groups = new Map<string, [Finding, ...Finding[]]>()
  for (const finding of sorted) {
    const { code, subject, level, what, why } = finding
    const key = JSON.stringify([level, code, splitSubject(subject)?.kind ?? subject, what, why])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [finding])
    else group.push(finding)
  }
  return [...groups.values()].flatMap((group) => showGroup(group, width))
}

function showGroup(group: [Finding, ...Finding[]], width: number | null): string[] {
  const [{ code, level, what, why, fix }] = group
  const { subject, names } = nameSubjects(group)
  const fold = (text: string) => {
    const lines = width === null ? [text] : wrapText(text, Math.max(20, width - indent.length))
    return lines.filter((line) => line !== '').map((line) => `${indent}${line}`)
  }
  const [first = '', ...more] = fold(`${subject}: ${what}${code === null ? '' : ` [${code}]`}`)
  const sameFix = group.every((finding) => finding.fix === fix)
  return [
    `${marks[level]}${first.slice(marks[level].length)}`,
    ...more,
    // Where all is well nobody looks for a name.
    ...(level === 'ok' ? [] : fold(names)),
    ...fold(why),
    ...fold(sameFix ? fix : `${group[0].subject}: ${fix} The others likewise.`),
  ]
}

/** Whom a group is about: a few by name, many by their number, with the names for the line below. */
function nameSubjects(group: Finding[]): { subject: string; names: string } {
  const subjects = group.map(({ subject }) => splitSubject(subject))
  const kind = subjects[0]?.kind
  if (group.length === 1 || kind === undefined) return { subject: group[0]?.subject ?? '', names: '' }
  const names = subjects.map((one) => one?.name ?? '').join(', ')
  return group.length <= 3
    ? { subject: `${kind}s ${names}`, names: '' }
    : { subject: `${group.length} ${kind}s`, names }
}

/** "port pair.vm1.net0" is one of many ports, "node 0" one of several nodes; "switch" stands for itself. */
function splitSubject(subject: string): { kind: string; name: string } | null {
  const [, kind, name] = /^(machine|port|network|deployment|node|interface) (\S+)$/.exec(subject) ?? []
  return kind === undefined || name === undefined ? null : { kind, name }
}
