import { pathWords } from './bash.js'
import { flatten, type OutlineCommand, type ValueKind } from './outline.js'

/** Completion for fish: each word and option with the command below which it stands. */
export function fishCompletion(program: OutlineCommand): string {
  const all = flatten(program)
  const valued = new Set(
    all.flatMap(({ options }) => options.filter(({ value }) => value !== null).map(({ flag }) => flag)),
  )
  return `# fish completion for vhostkit, written by: vhostkit completion fish
# Whether the words before the cursor are this command, with so many arguments.
function __vhostkit_at
  set -l path ''
  set -l at 0
  set -l skip 0
  for word in (commandline -opc)[2..-1]
    if test $skip = 1
      set skip 0
      continue
    end
    switch $word
      case ${[...valued].map(quote).join(' ')}
        set skip 1
      case '-*'
      case '*'
        if contains -- "$path $word" ${pathWords(all).map(quote).join(' ')}
          set path (string trim -- "$path $word")
        else
          set at (math $at + 1)
        end
    end
  end
  test "$path" = "$argv[1]"; or return 1
  test (count $argv) -lt 2; or test $at = $argv[2]
end
complete -c vhostkit -f
${all.flatMap(fishLines).join('\n')}
`
}

function fishLines({ path, inner, args, options }: OutlineCommand): string[] {
  const at = (position?: number) =>
    `complete -c vhostkit -n ${quote(`__vhostkit_at ${quote(path)}${position === undefined ? '' : ` ${position}`}`)}`
  return [
    ...inner.map((one) => `${at(0)} -a ${one.path.split(' ').at(-1)} -d ${quote(one.summary)}`),
    ...args.filter(({ kind }) => kind !== 'free').map(({ kind }, index) => `${at(index)} ${offer(kind)}`),
    ...options.map(({ flag, value, about, kind }) => {
      const takes =
        value === null ? '' : ` ${kind === 'file' || kind === 'folder' ? '-r' : '-x'} ${offer(kind)}`
      return `${at()} -l ${flag.slice(2)}${takes} -d ${quote(about)}`
    }),
  ]
}

function offer(kind: ValueKind): string {
  if (kind === 'file') return '-F'
  if (kind === 'folder') return "-a '(__fish_complete_directories)'"
  if (kind === 'deployment') return "-a '(vhostkit completion deployments 2>/dev/null)'"
  return kind === 'free' ? '' : `-a ${quote(kind.join(' '))}`
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
