import { VhostkitError } from '../errors.js'
import { connectSchema, driverSchema } from './schema.js'
import type { Spec } from './spec.js'
import { nameSchema } from './value-schemas.js'

/** What the command line says instead of the spec. */
export interface SpecOverrides {
  driver?: string | undefined
  connect?: string | undefined
}

/** The spec with what the command line says in place of its own words. */
export function overrideSpec(spec: Spec, { driver, connect }: SpecOverrides): Spec {
  return {
    ...spec,
    driver: driver === undefined ? spec.driver : read('--driver', driver, driverSchema),
    connect: connect === undefined ? spec.connect : read('--connect', connect, connectSchema),
  }
}

/** The URI of an option, or as it is without one: as root qemu:///system, else qemu:///session. */
export function requireConnect(text: string | undefined, uid: number): string {
  if (text !== undefined) return read('--connect', text, connectSchema)
  return uid === 0 ? 'qemu:///system' : 'qemu:///session'
}

/** A name of an option. */
export function requireName(option: string, text: string): string {
  return read(option, text, nameSchema)
}

function read<Schema extends typeof driverSchema | typeof connectSchema | typeof nameSchema>(
  option: string,
  text: string,
  schema: Schema,
): Schema['_zod']['output'] {
  const parsed = schema.safeParse(text)
  if (parsed.success) return parsed.data
  const expected = parsed.error.issues[0]?.message ?? 'something else'
  throw new VhostkitError('usage', { sentence: `${option} takes ${expected}; found ${text}.` })
}
