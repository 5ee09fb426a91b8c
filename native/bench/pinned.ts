/** The cores of the two sides; everything that only arranges stays on the generator's. */
export const generatorCore = 0
export const switchCore = 1

/**
 * The command line that runs a program on one core only, and ends it when the bench is killed: a
 * poll-mode switch that is left behind would take its core for ever.
 */
export function pinned(core: number, argv: readonly string[]): string[] {
  return ['setpriv', '--pdeathsig', 'KILL', 'taskset', '-c', String(core), ...argv]
}
