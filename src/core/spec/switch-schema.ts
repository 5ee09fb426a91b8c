import { z } from 'zod'
import { expecting, mapping } from './shape.js'
import type { SwitchSpec } from './spec.js'

/** The shape of `switch`. */
const coresText = expecting('auto or a list of CPU numbers, each once')
const coreNumber = z.int(coresText).min(0, coresText).max(65535, coresText)
const spareText = expecting(
  'auto or a list of CPU numbers, each once and not in cores; with those, 63 at most',
)
const userText = expecting('the name of a user of this host')
const spareNumber = z.int(spareText).min(0, spareText).max(65535, spareText)
export const switchSchema = mapping({
  cores: z
    .union([z.literal('auto'), z.array(coreNumber).min(1, coresText).max(64, coresText)], coresText)
    .refine((cores) => cores === 'auto' || new Set(cores).size === cores.length, coresText)
    .default('auto'),
  'spare-cores': z
    .union([z.literal('auto'), z.array(spareNumber).max(63, spareText)], spareText)
    .default('auto'),
  idle: z.enum(['adaptive', 'poll'], expecting('adaptive or poll')).default('adaptive'),
  user: z
    .string(userText)
    .regex(/^[a-z_][a-z0-9_-]{0,31}$/, userText)
    .optional(),
})
  .refine(({ cores, 'spare-cores': spare }) => areCoresApart(cores, spare), {
    ...spareText,
    path: ['spare-cores'],
  })
  .transform(
    ({ cores, idle, user, 'spare-cores': spareCores }): SwitchSpec => ({
      cores,
      spareCores,
      idle,
      user: user ?? null,
    }),
  )

/** A core has one worker, and a switch at most so many workers as it can number. */
function areCoresApart(cores: 'auto' | number[], spare: 'auto' | number[]): boolean {
  if (spare === 'auto' || spare.length === 0) return true
  const all = [...(cores === 'auto' ? [] : cores), ...spare]
  return all.length <= 63 && new Set(all).size === all.length
}
