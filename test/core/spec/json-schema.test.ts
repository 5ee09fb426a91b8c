import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { listKeys, renderSpecPage, specJsonSchema } from '../../../src/core/spec/json-schema.js'
import { keyTexts } from '../../../src/core/spec/key-texts.js'
import { readYaml } from '../../../src/core/spec/read-yaml.js'
import { specSchema } from '../../../src/core/spec/schema.js'
import { readCases } from '../../golden/read-cases.js'

interface Issue {
  code: string
  errors?: Issue[][]
}

describe('JSON Schema of the spec', () => {
  const schema = specJsonSchema()
  const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema)

  it('is in the package and in the docs as it is', () => {
    const text = readFileSync('schema/spec.schema.json', 'utf8')
    assert.deepEqual(JSON.parse(text), schema, 'run npm run golden')
    assert.equal(readFileSync('docs/spec.md', 'utf8'), renderSpecPage(), 'run npm run golden')
  })

  it('says of every key what it means, and of no others', () => {
    const keys = listKeys(schema)
    assert.deepEqual(
      keys.filter(({ text }) => text === '').map(({ path }) => path),
      [],
      'add a line to src/core/spec/key-texts.ts',
    )
    const paths = keys.map(({ path }) => path)
    assert.deepEqual(
      Object.keys(keyTexts).filter((path) => !paths.includes(path)),
      [],
    )
  })

  const counts = { taken: 0, refused: 0 }
  for (const { name, specText } of readCases()) {
    const { value } = readYaml(specText)
    if (value === undefined) continue
    const parsed = specSchema.safeParse(value)
    if (parsed.success) {
      counts.taken++
      it(`takes what parseSpec's shapes take: ${name}`, () => {
        assert.ok(validate(value), JSON.stringify(validate.errors))
      })
    } else if (parsed.error.issues.some((issue) => isShape(issue as Issue))) {
      counts.refused++
      it(`refuses a wrong shape: ${name}`, () => assert.equal(validate(value), false))
    }
  }

  it('has seen both', () => assert.ok(counts.taken > 25 && counts.refused >= 8, JSON.stringify(counts)))
})

/** A refinement ("custom") is code, which no JSON Schema can say. */
function isShape({ code, errors }: Issue): boolean {
  if (code === 'custom') return false
  return errors === undefined || errors.every((branch) => branch.some(isShape))
}
