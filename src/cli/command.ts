import type { ExitCode } from '../core/errors.js'
import type { Places } from './places.js'

/** What a command says: text for people, data for `--json`. Only main.ts prints it. */
export interface CommandResult {
  text: string
  data: unknown
  /** Mostly an ExitCode; that of a program that was run in our place is its own. */
  exitCode: ExitCode | number
}

/** Shows what is going on while people wait; never on stdout. */
export interface Reporter {
  /** Runs one stage under its title; `say` tells how far it is. */
  stage<T>(title: string, task: (say: (line: string) => void) => Promise<T>): Promise<T>
  /** A block of text between stages, such as the plan. */
  show(text: string): void
}

export interface CommandContext {
  places: Places
  /** Aborted by Ctrl-C and SIGTERM; the reason is a VhostkitError. */
  signal: AbortSignal
  report: Reporter
  /** A line on stdout at once, for commands that follow something; text or its JSON. */
  follow(text: string, data: unknown): void
  /** Bytes on stdout at once; resolves when there is room for more. False: nobody reads them any more. */
  pour(bytes: Uint8Array): Promise<boolean>
  /** Columns of the terminal that the text is for; null: not a terminal, so nothing is cut. */
  width: number | null
  /** The words of the command line, for the lock's holder. */
  commandLine: string
}

/** Arguments by name; options by name, in camel case. */
export interface CommandInput {
  args: Record<string, string | undefined>
  options: Record<string, string | boolean | undefined>
  /** The words of a last argument that takes all there are. */
  rest?: readonly string[]
}

export interface CommandModule {
  run(input: CommandInput, context: CommandContext): Promise<CommandResult>
}

/** A row of the command table. */
export interface Command {
  name: string
  summary: string
  /** "<spec>" is required, "[machine]" is not. */
  args?: { name: string; about: string }[]
  options?: { flags: string; about: string }[]
  /** It needs the native switch, which an installed package builds at first use. */
  native?: boolean
  /** Loaded when it is called, so that `--version` stays fast. */
  load?: () => Promise<CommandModule>
  commands?: Command[]
}
