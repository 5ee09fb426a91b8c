import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readCases } from './read-cases.js'
import { renderCase } from './render-case.js'

const inputs = ['case.json', 'spec.yaml', 'spec.json']

describe('golden cases', () => {
  for (const golden of readCases()) {
    it(golden.name, () => {
      const rendered = renderCase(golden)
      for (const [file, text] of rendered) {
        const path = join(golden.folder, file)
        assert.ok(existsSync(path), `${path} is missing: run npm run golden and read the difference`)
        assert.equal(readFileSync(path, 'utf8'), text, `${path}: run npm run golden and read the difference`)
      }
      const others = readdirSync(golden.folder).filter(
        (file) => !inputs.includes(file) && !rendered.has(file),
      )
      assert.deepEqual(others, [], 'files that the case no longer has')
    })
  }
})
