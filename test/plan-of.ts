import assert from 'node:assert/strict'
import { type Facts, makePlan, type Plan, type PlanOptions, parseSpec, type Spec } from '../src/index.js'

export const folders = { run: '/run/vhostkit', state: '/var/lib/vhostkit' }
export const defaultBoot = { kernel: '/k', initrd: '', cmdline: 'quiet' }

/** The spec in a text that must be right. */
export function specOf(text: string): Spec {
  const parsed = parseSpec(text, 'test.yaml')
  assert.ok('ok' in parsed, JSON.stringify(parsed))
  return parsed.ok
}

/** The plan of a spec that the host can carry out. */
export function planOf(text: string, facts: Facts, options: PlanOptions = {}): Plan {
  const planned = makePlan(specOf(text), facts, folders, { defaultBoot, ...options })
  assert.ok('ok' in planned, JSON.stringify(planned))
  return planned.ok
}
