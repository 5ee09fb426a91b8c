import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Block {
  page: string
  /** What stands behind the fence, as in "sh run". */
  kind: string
  lines: string[]
}

/** Where the commands of a block are run as they stand; the reader's blocks say "sh run RIG". */
export const rigs = {
  '': 'a folder of its own, with the specs of its page',
  demo: 'the checkout, by the test of the demo, with --json',
  checkout: 'a copy of the checkout',
  systemd: 'a host with systemd as its first process',
  host: 'a host with libvirt, machines and a way out',
  hosts: 'that host and another one, each',
} as const
export type Rig = keyof typeof rigs

/** Why a block is not run: "sh unrun REASON". As few as can be. */
export const reasons = ['starts-this-test', 'measures-for-minutes', 'wants-selinux']

/** The pages that people follow, and those beside the code. */
export function listPages(): string[] {
  const folders = ['docs', 'hooks', 'native', 'src', 'templates', 'test']
  const pages = folders.flatMap((folder) => listMarkdown(folder))
  const atTop = readdirSync('.').filter((name) => name.endsWith('.md'))
  return [...atTop, ...pages].sort()
}

/** The blocks that a rig runs, by page. */
export function blocksOf(rig: Rig): [string, Block[]][] {
  const kind = rig === '' ? 'sh run' : `sh run ${rig}`
  return listPages()
    .map((page): [string, Block[]] => [page, readBlocks(page).filter((block) => block.kind === kind)])
    .filter(([, blocks]) => blocks.length > 0)
}

/** Fenced blocks; and what is indented by four blanks behind an empty line, which has no mark. */
export function readBlocks(page: string): Block[] {
  const blocks: Block[] = []
  let open: Block | null = null
  let before = ''
  for (const line of readFileSync(page, 'utf8').split('\n')) {
    const fence = /^ *```(.*)$/.exec(line)
    if (fence !== null) {
      open = open === null ? { page, kind: (fence[1] ?? '').trim(), lines: [] } : null
      if (open !== null) blocks.push(open)
    } else if (open !== null) open.lines.push(line)
    else if (line.startsWith('    ') && before === '') blocks.push({ page, kind: 'indented', lines: [line] })
    before = line
  }
  return blocks
}

function listMarkdown(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return /^(build|corpus)/.test(entry.name) ? [] : listMarkdown(path)
    return entry.name.endsWith('.md') ? [path] : []
  })
}

/** The commands of a line, each as words: without its comment, and without what a shell does around them. */
export function splitCommands(line: string): string[][] {
  return line
    .replace(/\s+#.*$/, '')
    .split(/\|\||&&|\||;|>/)
    .map((part) =>
      part
        .trim()
        .replace(/^(do|then) /, '')
        .split(/\s+/),
    )
}

/** The words behind our name; null for another program. */
export function ourWords(words: string[]): string[] | null {
  if (words[0] === 'vhostkit') return words.slice(1)
  return words[0] === 'node' && words[1] === 'bin/vhostkit.js' ? words.slice(2) : null
}
