/** What of a running switch is not as it was planned, in options of its command line: `--user nxs`, `no --user`. */
export interface SwitchDifference {
  expected: string
  found: string
}

/** Compares how the switch is to be started with how the running one was; null: alike, or it could not be read. */
export function switchDifference(
  wanted: readonly string[],
  running: readonly string[] | null,
): SwitchDifference | null {
  if (running === null) return null
  const [planned, there] = [optionsOf(wanted), optionsOf(running)]
  const differing = [...new Set([...planned.keys(), ...there.keys()])].filter(
    (option) => planned.get(option) !== there.get(option),
  )
  if (differing.length === 0) return null
  const say = (options: Map<string, string>) =>
    differing.map((option) => options.get(option) ?? `no ${option}`).join(' ')
  return { expected: say(planned), found: say(there) }
}

/** Each option with its value as one text; the program is one as well. */
function optionsOf([program = '', ...words]: readonly string[]): Map<string, string> {
  const options = new Map([['program', program]])
  words.forEach((word, index) => {
    if (!word.startsWith('--')) return
    const value = words[index + 1]
    options.set(word, value === undefined || value.startsWith('--') ? word : `${word} ${value}`)
  })
  return options
}
