import { writeYaml } from '../spec/write-yaml.js'
import type { Left, TakenOver } from './take-over.js'

/** The spec as a file, which says itself what is not in it. */
export function specText(taken: TakenOver, from: string): string {
  const lines = [
    `Written by \`vhostkit init --from ${oneLine(from)}\`; every key: docs/spec.md.`,
    ...(taken.foreign ? besideIt(taken) : []),
    ...(taken.left.length === 0 ? [] : ['', 'Not taken over:', ...showLeft(taken.left)]),
  ]
  return writeYaml(taken.spec, lines.join('\n'))
}

/** A line for each thing, its domain first when there are several. */
export function showLeft(left: Left[]): string[] {
  const several = new Set(left.map(({ domain }) => domain)).size > 1
  return left.map(({ domain, what, why }) => oneLine(`- ${several ? `${domain}: ` : ''}${what}: ${why}`))
}

/** What must be known before such a spec is applied. */
export function besideIt({ domains }: TakenOver): string[] {
  return [
    `What this makes stands beside the domain ${oneLine(domains.join(', '))}, which stays as it is: it has the same disks and MACs,`,
    'so only one of the two may run. `vhostkit accelerate` changes the domain itself instead.',
  ]
}

/** Names in a definition are somebody else's text. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
