import { errorTable } from '../../core/errors.js'
import { commonOptions } from '../common-options.js'
import { examples } from '../examples.js'
import { flatten, type OutlineCommand } from '../shells/outline.js'

/** Man pages by file name, as in "vhostkit-apply.1": one for the program, one for each command right below it. */
export function manPages(program: OutlineCommand, version: string): Record<string, string> {
  const names = program.inner.map(({ path }) => `vhostkit-${path}`)
  const pages = program.inner.map(
    (command) => [`vhostkit-${command.path}.1`, commandPage(command, version)] as const,
  )
  return Object.fromEntries([['vhostkit.1', programPage(program, names, version)], ...pages])
}

function programPage(program: OutlineCommand, names: string[], version: string): string {
  return page('vhostkit', program.summary, version, [
    ['SYNOPSIS', ['.B vhostkit', '.I command', text('[argument ...] [option ...]')]],
    ['COMMANDS', program.inner.flatMap(({ path, summary }) => term(`\\fB${text(path)}\\fR`, text(summary)))],
    [
      'OPTIONS',
      [
        'Every command takes these:',
        ...commonOptions.flatMap(({ flags, about }) => term(flagsOf(flags), text(about))),
      ],
    ],
    [
      'EXIT STATUS',
      [
        ['0', 'done'],
        ['1', 'failed'],
        ['2', 'wrong usage'],
        ['3', 'the spec was refused'],
        ['4', 'the host cannot; it says what to do'],
        ['5', 'something would change (diff)'],
        ['255', 'ssh did not get in; otherwise ssh ends with the exit code of the command there'],
      ].flatMap(([code = '', about = '']) => term(code, text(about))),
    ],
    [
      'ENVIRONMENT',
      [
        ['VHOSTKIT_RUN_DIR', 'sockets, pids and logs, as --run-dir'],
        ['VHOSTKIT_STATE_DIR', 'receipts, disks and the lock, as --state-dir'],
        [
          'VHOSTKIT_CACHE_DIR',
          'where an installed package builds the switch and keeps the guest of the demo',
        ],
        ['NO_COLOR', 'no colours'],
      ].flatMap(([name = '', about = '']) => term(`\\fB${name}\\fR`, text(about))),
    ],
    [
      'FILES',
      [
        ['/run/vhostkit', "the run folder of root; other users have one in XDG_RUNTIME_DIR, else in the state folder"],
        ['/var/lib/vhostkit', 'the state folder of root; other users have one in XDG_STATE_HOME, else in ~/.local/state'],
        ['/var/cache/vhostkit', 'the cache folder of root; other users have one in XDG_CACHE_HOME, else in ~/.cache'],
      ].flatMap(([path = '', about = '']) => term(`\\fI${text(path)}\\fR`, text(about))),
    ],
    [
      'DIAGNOSTICS',
      [
        text(
          `An error ends with its code in brackets; vhostkit explain CODE says more of its ${Object.keys(errorTable).length} codes.`,
        ),
      ],
    ],
    ['SEE ALSO', [names.map((name) => `\\fB${text(name)}\\fR(1)`).join(',\n')]],
  ])
}

function commandPage(command: OutlineCommand, version: string): string {
  const rows = flatten(command).filter(({ inner }) => inner.length === 0)
  const alone = rows.length === 1 && rows[0] === command
  const shown = rows.flatMap(({ path }) => examples[path] ?? [])
  return page(`vhostkit-${command.path}`, command.summary, version, [
    ['SYNOPSIS', rows.flatMap((row, index) => [...(index > 0 ? ['.br'] : []), synopsis(row)])],
    ...(alone
      ? ([['OPTIONS', optionTerms(command)]] as Section[])
      : ([
          [
            'COMMANDS',
            rows.flatMap((row) => [`.SS ${text(row.path)}`, text(row.summary), ...optionTerms(row)]),
          ],
        ] as Section[])),
    ['EXAMPLES', ['.nf', ...shown.map(text), '.fi']],
    ['SEE ALSO', ['\\fBvhostkit\\fR(1)']],
  ])
}

type Section = [string, string[]]

function page(name: string, summary: string, version: string, sections: Section[]): string {
  const title = `.TH ${text(name.toUpperCase())} 1 "" "vhostkit ${version}" "vhostkit"`
  const head = [title, '.SH NAME', `${text(name)} \\- ${text(summary)}`]
  const body = sections
    .filter(([, lines]) => lines.length > 0)
    .flatMap(([heading, lines]) => [`.SH ${heading}`, ...lines])
  return `${[...head, ...body].join('\n')}\n`
}

function synopsis({ path, args }: OutlineCommand): string {
  const words = args
    .map(({ name }) => text(name.startsWith('<') ? name.slice(1, -1) : name))
    .map((word) => `\\fI${word}\\fR`)
  return [`\\fBvhostkit ${text(path)}\\fR`, ...words, '[options]'].join(' ')
}

/** Arguments and its own options; what every command takes stands in vhostkit(1). */
function optionTerms({ args, options }: OutlineCommand): string[] {
  const common = new Set(commonOptions.map(({ flags }) => flags.split(' ')[0]))
  const own = options.filter(({ flag }) => !common.has(flag) && flag !== '--help')
  return [
    ...args.flatMap(({ name, about }) => term(`\\fI${text(name.replace(/[<>[\]]/g, ''))}\\fR`, text(about))),
    ...own.flatMap(({ flag, value, about }) =>
      term(flagsOf(value === null ? flag : `${flag} ${value}`), text(about)),
    ),
  ]
}

function term(head: string, body: string): string[] {
  return ['.TP', head, body]
}

function flagsOf(flags: string): string {
  const [flag = '', value] = flags.split(' ')
  return `\\fB${text(flag)}\\fR${value === undefined ? '' : ` \\fI${text(value.replace(/[<>[\]]/g, ''))}\\fR`}`
}

/** Nothing in it is a request or an escape of roff. */
function text(plain: string): string {
  return plain
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/^([.'])/gm, '\\&$1')
}
