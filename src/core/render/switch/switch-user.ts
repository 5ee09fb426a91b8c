/** Whom a switch becomes, by its command line; null: it stays who starts it. */
export function userOf(argv: readonly string[]): string | null {
  const at = argv.indexOf('--user')
  return at < 0 ? null : (argv[at + 1] ?? null)
}
