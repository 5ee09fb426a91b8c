import { flatten, type OutlineCommand, type ValueKind } from './outline.js'

/** Completion for bash: finds the command among the words before the cursor, then offers what may follow. */
export function bashCompletion(program: OutlineCommand): string {
  const all = flatten(program)
  const options = all.flatMap((command) => command.options)
  const valued = [...new Set(options.filter(({ value }) => value !== null).map(({ flag }) => flag))]
  const values = valued.map((flag) => {
    const kind = options.find((option) => option.flag === flag)?.kind ?? 'free'
    return `      ${flag}) ${offer(kind)} ;;`
  })
  return `# bash completion for vhostkit, written by: vhostkit completion bash
_vhostkit() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path= word skip= at=0 i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $skip ]]; then skip=; continue; fi
    case $word in
      ${valued.join('|')}) skip=$word ;;
      -*) ;;
      *)
        case "$path $word" in
          ${pathWords(all)
            .map((text) => `'${text}'`)
            .join('|')}) path="\${path:+$path }$word" ;;
          *) at=$((at + 1)) ;;
        esac ;;
    esac
  done
  if [[ -n $skip ]]; then
    case $skip in
${values.join('\n')}
    esac
    return
  fi
  if [[ $cur == -* ]]; then
    case $path in
${all.map(({ path, options: own }) => `      '${path}') ${offer(own.map(({ flag }) => flag))} ;;`).join('\n')}
    esac
    return
  fi
  case "$path:$at" in
${all.flatMap(positions).join('\n')}
  esac
}
complete -F _vhostkit vhostkit
`
}

/** Path so far, a blank, and the word that makes it longer. */
export function pathWords(all: OutlineCommand[]): string[] {
  return all.flatMap(({ path, inner }) => inner.map((one) => `${path} ${one.path.split(' ').at(-1)}`))
}

function positions({ path, inner, args }: OutlineCommand): string[] {
  const words = inner.map((one) => one.path.split(' ').at(-1) ?? '')
  return [
    ...(words.length > 0 ? [`    '${path}:0') ${offer(words)} ;;`] : []),
    ...args
      .filter(({ kind }) => kind !== 'free')
      .map(({ kind }, index) => `    '${path}:${index}') ${offer(kind)} ;;`),
  ]
}

function offer(kind: ValueKind): string {
  if (kind === 'file') return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur")'
  if (kind === 'folder') return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur")'
  if (kind === 'free') return ':'
  const words =
    kind === 'deployment' ? '"$(vhostkit completion deployments 2>/dev/null)"' : `'${kind.join(' ')}'`
  return `mapfile -t COMPREPLY < <(compgen -W ${words} -- "$cur")`
}
