import { z } from 'zod'
import { keyTexts } from './key-texts.js'
import { specSchema } from './schema.js'
import { addressSchema, nameSchema, pathSchema } from './value-schemas.js'

/** A JSON Schema (2020-12), as far as it is walked here. */
export interface JsonSchema {
  [keyword: string]: unknown
  properties?: Record<string, JsonSchema>
  items?: JsonSchema
  anyOf?: JsonSchema[]
}

/** Where a text may stand in place of a mapping, and what it must be then. */
const shorthands: Record<string, z.ZodType> = {
  'machines[].interfaces[]': nameSchema,
  'machines[].interfaces[].address': addressSchema,
  'machines[].disks[]': pathSchema,
  'machines[].boot': z.enum(['disk', 'cdrom']),
  boot: z.enum(['disk', 'cdrom']),
  'networks[].dhcp': z.boolean(),
  'networks[].host': addressSchema,
}

/**
 * The JSON Schema of a spec, for editors and other programs. It holds the shapes; what concerns several values
 * (names used once, networks that exist, whole pages) only `parseSpec` knows.
 */
export function specJsonSchema(): JsonSchema {
  const made = toJson(specSchema)
  return {
    $schema: made.$schema,
    $id: 'urn:vhostkit:spec:1',
    title: 'vhostkit spec',
    description: 'Virtual machines with accelerated network cards on one host, for `vhostkit apply`.',
    ...describe(made, ''),
  }
}

/** Every key below a schema with its path, its meaning and its default. */
export function listKeys(
  schema: JsonSchema,
  path = '',
): { path: string; text: string; otherwise: unknown }[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
    const at = join(path, key)
    return [
      { path: at, text: String(inner.description ?? ''), otherwise: inner.default },
      ...listKeys(inner, at),
    ]
  })
  const items = schema.items === undefined ? [] : listKeys(schema.items, `${path}[]`)
  return [...own, ...items, ...(schema.anyOf ?? []).flatMap((inner) => listKeys(inner, path))]
}

/** The page docs/spec.md. */
export function renderSpecPage(): string {
  const seen = new Set<string>()
  const rows = listKeys(specJsonSchema())
    .filter(({ path }) => !seen.has(path) && seen.add(path))
    .map(({ path, text, otherwise }) => {
      const shown = otherwise === undefined ? '' : `\`${JSON.stringify(otherwise)}\``
      return `| \`${path}\` | ${shown} | ${text} |`
    })
  return [
    '# The spec',
    '',
    'Written by `npm run golden` from `src/core/spec/`. `[]` stands for the items of a list.',
    'The same as a JSON Schema: `vhostkit schema`, or `schema/spec.schema.json` of the package. An editor with the YAML',
    'language server completes and checks a spec that begins with `# yaml-language-server: $schema=PATH`.',
    '',
    '| key | default | meaning |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

function toJson(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
}

/** The schema with its texts, without what zod adds and nobody wrote. */
function describe(schema: JsonSchema, path: string): JsonSchema {
  const { properties, items, anyOf, minimum, maximum, default: otherwise, ...rest } = schema
  const text = keyTexts[path]
  const isPlain = otherwise !== undefined && (typeof otherwise !== 'object' || Array.isArray(otherwise))
  const described: JsonSchema = {
    ...(text === undefined || path === '' ? {} : { description: text }),
    ...rest,
    ...(isPlain && otherwise !== '' ? { default: otherwise } : {}),
    ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? {} : { minimum }),
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? {} : { maximum }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([key, inner]) => [key, describe(inner, join(path, key))]),
          ),
        }),
    ...(items === undefined ? {} : { items: describe(items, `${path}[]`) }),
    ...(anyOf === undefined
      ? {}
      : { anyOf: anyOf.map((inner) => ({ ...describe(inner, path), description: undefined })) }),
  }
  const short = shorthands[path]
  if (short === undefined) return dropUndefined(described)
  const { description, ...mapping } = described
  const { $schema: _, ...plain } = toJson(short)
  return dropUndefined({ description, anyOf: [plain, mapping] })
}

function dropUndefined(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema)) as JsonSchema
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}
