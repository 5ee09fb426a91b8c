import type { z } from 'zod'
import { type ErrorCode, errorTable } from '../errors.js'
import { crossCheck } from './cross-check.js'
import { readLoosely } from './loose-spec.js'
import { nearestWord } from './nearest-word.js'
import { type Complaint, type PathPart, type Problem, showPath } from './problem.js'
import { readYaml, type YamlText } from './read-yaml.js'
import { specSchema } from './schema.js'
import { shorten } from './shorten.js'
import type { Spec } from './spec.js'

/** Nobody reads more at once, and finding the place of each costs time. */
const mostProblems = 100

/**
 * The spec in a YAML or JSON text, or everything that is wrong with it, in the
 * order of the text. `fileName` only names the file in the problems.
 */
export function parseSpec(text: string, fileName: string): { ok: Spec } | { problems: Problem[] } {
  const yaml = readYaml(text)
  const faults = yaml.faults.map((fault): Problem => {
    return { ...fault, file: fileName, path: '', hint: errorTable[fault.code].hint }
  })
  if (yaml.faults.length > 0 && yaml.value === undefined) return { problems: faults.slice(0, mostProblems) }

  const stranger = refuseStranger(yaml.value)
  if (stranger !== null) return { problems: [toProblem(stranger, yaml, fileName)] }

  const parsed = specSchema.safeParse(yaml.value)
  const complaints = parsed.success
    ? []
    : parsed.error.issues.flatMap((issue) => toComplaints(issue, yaml.value))
  complaints.push(...crossCheck(readLoosely(yaml.value)))
  const distinct = [
    ...new Map(complaints.map((complaint) => [JSON.stringify(complaint), complaint])).values(),
  ]
  const placed = distinct.slice(0, mostProblems).map((complaint) => toProblem(complaint, yaml, fileName))
  const problems = [...faults.slice(0, mostProblems), ...placed]
  if (parsed.success && problems.length === 0) return { ok: parsed.data }
  return { problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) }
}

/**
 * A file that has nothing of a spec: nothing of it is shown, since it may be any file of the host, such as one of
 * passwords, that somebody has root read.
 */
function refuseStranger(value: unknown): Complaint | null {
  const keys = Object.keys(specSchema.in.shape)
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value)
  const own = isMapping ? Object.keys(value) : []
  const isEmpty = value === null || (isMapping && own.length === 0)
  if (isEmpty || own.some((key) => nearestWord(key, keys) !== null)) return null
  const found = isMapping ? 'other keys only' : 'no mapping'
  return { code: 'spec-value', path: [], expected: `a mapping with ${keys.join(', ')}`, found }
}

function toProblem(complaint: Complaint, yaml: YamlText, file: string): Problem {
  const { code, path, expected, found, hint } = complaint
  const place = yaml.locate(path, code === 'key-unknown' ? 'key' : 'value')
  return { code, file, ...place, path: showPath(path), expected, found, hint: hint ?? errorTable[code].hint }
}

function toComplaints(issue: z.core.$ZodIssue, value: unknown): Complaint[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol')
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, issue.message))
  const { reached, found } = follow(value, path)
  const code = found === undefined && reached.length > 0 ? 'key-missing' : codeForKey(path)
  return [{ code, path: reached, expected: issue.message, found: showFound(found) }]
}

function unknownKey(path: PathPart[], key: string, expected: string): Complaint {
  const meant = nearestWord(key, expected.replace(/^one of /, '').split(', '))
  const hint = meant === null ? {} : { hint: `Did you mean ${meant}?` }
  return { code: 'key-unknown', path: [...path, key], expected, found: `the key ${showText(key)}`, ...hint }
}

/** The value at a path. A shorthand (`host: 10.0.0.1/8`) ends it early: there is nothing below a text. */
function follow(value: unknown, path: PathPart[]): { reached: PathPart[]; found: unknown } {
  let found = value
  const reached: PathPart[] = []
  for (const part of path) {
    if (typeof found === 'string') break
    reached.push(part)
    const owned = typeof found === 'object' && found !== null && Object.hasOwn(found, part)
    found = owned ? (found as Record<PathPart, unknown>)[part] : undefined
  }
  return { reached, found }
}

function codeForKey(path: PathPart[]): ErrorCode {
  const key = path.findLast((part) => typeof part === 'string')
  if (key === 'name' || key === 'network') return 'name-invalid'
  if (key === 'mac') return 'mac-invalid'
  if (key === 'addresses' || key === 'host') return 'address-invalid'
  return 'spec-value'
}

function showFound(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') return showText(value)
  if (Array.isArray(value)) return `a list of ${value.length}`
  return typeof value === 'object' ? 'a mapping' : String(value)
}

function showText(text: string): string {
  return JSON.stringify(shorten(text))
}
