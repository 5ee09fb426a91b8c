import { flatten, type OutlineArgument, type OutlineCommand, type ValueKind } from './outline.js'

/** Completion for zsh: a function for each command, which _arguments walks through. */
export function zshCompletion(program: OutlineCommand): string {
  return `#compdef vhostkit
# zsh completion for vhostkit, written by: vhostkit completion zsh

_vhostkit_deployments() {
  local -a names=(\${(f)"$(vhostkit completion deployments 2>/dev/null)"})
  compadd -a names
}

${flatten(program).map(zshFunction).join('\n')}
if [[ \${funcstack[1]} == _vhostkit ]]; then
  _vhostkit "$@"
else
  compdef _vhostkit vhostkit
fi
`
}

function zshFunction({ path, inner, args, options }: OutlineCommand): string {
  const specs = options.map(({ flag, value, about, kind }) =>
    quote(`${flag}[${escapeAbout(about)}]${value === null ? '' : `:${bare(value)}:${action(kind)}`}`),
  )
  if (inner.length === 0) {
    return `${nameOf(path)}() {\n  _arguments ${[...specs, ...args.map(zshArgument)].join(' \\\n    ')}\n}\n`
  }
  const words = inner.map((one) => ({ word: one.path.split(' ').at(-1) ?? '', one }))
  return `${nameOf(path)}() {
  local -a commands=(
${words.map(({ word, one }) => `    ${quote(`${word}:${one.summary}`)}`).join('\n')}
  )
  local context state state_descr line
  typeset -A opt_args
  _arguments -C ${[...specs, quote('1:command:->command'), quote('*::argument:->argument')].join(' \\\n    ')}
  case $state in
    command) _describe command commands ;;
    argument)
      case $line[1] in
${words.map(({ word, one }) => `        ${word}) ${nameOf(one.path)} ;;`).join('\n')}
      esac ;;
  esac
}
`
}

function zshArgument({ name, kind }: OutlineArgument, index: number): string {
  return quote(
    `${index + 1}:${name.startsWith('[') ? ':' : ''}${bare(name)}:${action(kind)}`.replace(
      '::',
      name.startsWith('[') ? '::' : ':',
    ),
  )
}

function action(kind: ValueKind): string {
  if (kind === 'file') return '_files'
  if (kind === 'folder') return '_files -/'
  if (kind === 'deployment') return '_vhostkit_deployments'
  return kind === 'free' ? ' ' : `(${kind.join(' ')})`
}

function nameOf(path: string): string {
  return path === '' ? '_vhostkit' : `_vhostkit_${path.replace(/[ -]/g, '_')}`
}

function bare(name: string): string {
  return name.replace(/[<>[\]]/g, '')
}

function escapeAbout(text: string): string {
  return text.replace(/[[\]:\\]/g, '\\$&')
}

function quote(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`
}
