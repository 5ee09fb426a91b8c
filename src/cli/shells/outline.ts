import type { Command } from '../command.js'
import { commands } from '../commands.js'
import { commonOptions } from '../common-options.js'

/** A command as completion and man pages need it. */
export interface OutlineCommand {
  /** As in "switch start"; "" is the program itself. */
  path: string
  summary: string
  /** Words that may follow. */
  inner: OutlineCommand[]
  args: OutlineArgument[]
  options: OutlineOption[]
}

export interface OutlineArgument {
  /** "<spec>", "[machine]". */
  name: string
  about: string
  kind: ValueKind
}

export interface OutlineOption {
  /** "--wait". */
  flag: string
  /** "<seconds>"; null: it takes none. */
  value: string | null
  about: string
  kind: ValueKind
}

/** What a value may be: a file, a folder, one of some words, a deployment of this host, or whatever. */
export type ValueKind = 'file' | 'folder' | 'deployment' | 'free' | readonly string[]

/** The whole command line, from the same table as its parser. */
export function outline(): OutlineCommand {
  return {
    path: '',
    summary: 'accelerated, reconnectable vhost-user networking for virtual machines',
    inner: commands.map((command) => outlineCommand(command, '')),
    args: [],
    options: [
      { flag: '--help', value: null, about: 'display help for command', kind: 'free' },
      { flag: '--version', value: null, about: 'output the version number', kind: 'free' },
    ],
  }
}

/** A command and all below it. */
export function flatten(command: OutlineCommand): OutlineCommand[] {
  return [command, ...command.inner.flatMap(flatten)]
}

function outlineCommand(
  { name, summary, args = [], options = [], commands: inner = [] }: Command,
  before: string,
): OutlineCommand {
  const path = before === '' ? name : `${before} ${name}`
  const own = inner.length > 0 ? [] : [...options, ...commonOptions]
  return {
    path,
    summary,
    inner: inner.map((one) => outlineCommand(one, path)),
    args: args.map((arg) => ({ ...arg, kind: kindOf(arg.name, '') })),
    options: [
      ...own.map(outlineOption),
      { flag: '--help', value: null, about: 'display help for command', kind: 'free' },
    ],
  }
}

function outlineOption({ flags, about }: { flags: string; about: string }): OutlineOption {
  const [flag = '', value] = (flags.split(', ').at(-1) ?? '').split(' ')
  return { flag, value: value ?? null, about, kind: kindOf(value ?? '', flag) }
}

const kinds: Record<string, ValueKind> = {
  spec: 'file',
  file: 'file',
  folder: 'folder',
  deployment: 'deployment',
  shell: ['bash', 'zsh', 'fish'],
  key: ['name', 'rx', 'tx', 'drops'],
}

function kindOf(name: string, flag: string): ValueKind {
  if (flag === '--driver') return ['qemu', 'libvirt']
  return kinds[name.replace(/[<>[\]]/g, '')] ?? 'free'
}
