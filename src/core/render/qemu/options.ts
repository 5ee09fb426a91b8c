/** QEMU's `key=value,key=value` options. */

export type OptionValue = string | number | boolean

/** "socket,id=c0,server=on": a comma within a value is doubled, as QEMU wants it; true is on, null is left out. */
export function renderOptions(kind: string | null, options: Record<string, OptionValue | null>): string {
  const pairs = Object.entries(options)
    .filter((pair): pair is [string, OptionValue] => pair[1] !== null)
    .map(([key, value]) => `${key}=${renderValue(value)}`)
  return (kind === null ? pairs : [kind, ...pairs]).join(',')
}

function renderValue(value: OptionValue): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return String(value).replaceAll(',', ',,')
}
