import { stringify } from 'yaml'

/** A value as YAML, with a comment above it. Reading it gives the value again. */
export function writeYaml(value: unknown, comment: string): string {
  const lines = comment.split('\n').map((line) => `# ${line}\n`)
  return lines.join('') + stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
}
