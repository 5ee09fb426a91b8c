import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Block {
  page: string
  /** What stands behind the fence, as in "sh run". */
  kind: string
  lines: string[]
}

/** The pages that people follow. */
export function listPages(): string[] {
  const names = readdirSync('docs').filter((name) => name.endsWith('.md') && name !== 'errors.md')
  return ['README.md', ...names.sort().map((name) => join('docs', name))]
}

/** Fenced blocks; and what is indented by four blanks, as "sh". */
export function readBlocks(page: string): Block[] {
  const blocks: Block[] = []
  let open: Block | null = null
  for (const line of readFileSync(page, 'utf8').split('\n')) {
    const fence = /^```(.*)$/.exec(line)
    if (fence !== null) {
      open = open === null ? { page, kind: (fence[1] ?? '').trim(), lines: [] } : null
      if (open !== null) blocks.push(open)
    } else if (open !== null) open.lines.push(line)
    else if (line.startsWith('    ')) blocks.push({ page, kind: 'sh', lines: [line.slice(4)] })
  }
  return blocks
}

/** The commands of a line, each as words: without its comment, and without what a shell does around them. */
export function splitCommands(line: string): string[][] {
  return line
    .replace(/\s+#.*$/, '')
    .split(/\|\||&&|\||;|>/)
    .map((part) =>
      part
        .trim()
        .replace(/^sudo /, '')
        .split(/\s+/),
    )
}

/** The words behind our name; null for another program. */
export function ourWords(words: string[]): string[] | null {
  if (words[0] === 'vhostkit') return words.slice(1)
  return words[0] === 'node' && words[1] === 'bin/vhostkit.js' ? words.slice(2) : null
}
