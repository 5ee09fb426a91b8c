/** A port in the state file of the switch, as far as tests touch it. */
export interface StatePort {
  name: string
  offered: string | null
  [key: string]: unknown
}

/** The state file with its ports changed, as a switch with those ports would have written it. */
export function editState(text: string, edit: (port: StatePort) => StatePort): string {
  const state = JSON.parse(text) as { checksum: string; ports: StatePort[] }
  const ports = state.ports.map(edit)
  return `${JSON.stringify({ ...state, checksum: fnv1a(JSON.stringify(sorted(ports))), ports })}\n`
}

/** As native/src/control/state_file.c has it: FNV-1a of the ports, compact, keys sorted. */
function fnv1a(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash.toString(16).padStart(16, '0')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}
