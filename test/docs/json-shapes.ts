import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

export type Shape = string | [Shape] | { [key: string]: Shape }

/** The shapes of docs/json.md by their headings. */
export function readShapes(): Map<string, Shape> {
  const shapes = new Map<string, Shape>()
  for (const section of readFileSync('docs/json.md', 'utf8').split(/^### /m).slice(1)) {
    const name = section.slice(0, section.indexOf('\n')).trim()
    const block = /```json\n([\s\S]*?)\n```/.exec(section)?.[1]
    if (block !== undefined) shapes.set(name, JSON.parse(block) as Shape)
  }
  return shapes
}

/** What a command printed is what docs/json.md says of it. */
export function assertShape(command: string, value: unknown): void {
  const shapes = readShapes()
  const shape = shapes.get(command)
  assert.ok(shape !== undefined, command)
  assert.deepEqual(misfits(shape, value, shapes), [], command)
}

/** Where a value is not of its shape, one line each: a key too many, one too few, another type. */
export function misfits(shape: Shape, value: unknown, shapes: Map<string, Shape>, at = '$'): string[] {
  if (typeof shape === 'string') {
    const kinds = shape.split('|')
    const tries = kinds.map((kind) => misfitsOfKind(kind, value, shapes, at))
    return tries.find((found) => found.length === 0) ?? tries.sort((a, b) => b.length - a.length)[0] ?? []
  }
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return [`${at}: no list`]
    return value.flatMap((one, index) => misfits(shape[0], one, shapes, `${at}[${index}]`))
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at}: no object`]
  const wanted = Object.entries(shape).filter(([key]) => key !== '*')
  const known = new Map(wanted.map(([key, inner]) => [key.replace(/\?$/, ''), inner]))
  const missing = wanted
    .filter(([key]) => !key.endsWith('?') && !(key in value))
    .map(([key]) => `${at}.${key}: missing`)
  const inner = Object.entries(value).flatMap(([key, one]) => {
    const of = known.get(key) ?? shape['*']
    return of === undefined ? [`${at}.${key}: not in the document`] : misfits(of, one, shapes, `${at}.${key}`)
  })
  return [...missing, ...inner]
}

function misfitsOfKind(kind: string, value: unknown, shapes: Map<string, Shape>, at: string): string[] {
  if (kind === 'any') return []
  const listed = /^\[(\w+)\]$/.exec(kind)?.[1]
  if (listed !== undefined) return misfits([listed], value, shapes, at)
  if (/^[A-Z]/.test(kind)) {
    const named = shapes.get(kind)
    return named === undefined ? [`${at}: there is no shape ${kind}`] : misfits(named, value, shapes, at)
  }
  const found = value === null ? 'null' : typeof value
  return found === kind ? [] : [`${at}: ${found} in place of ${kind}`]
}
