import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { renderErrorPage } from '../../src/core/error-page.js'
import { errorTable, VhostkitError } from '../../src/core/errors.js'

describe('errors', () => {
  it('are documented as they are', () => {
    assert.equal(readFileSync('docs/errors.md', 'utf8'), renderErrorPage(), 'run npm run golden')
  })

  it('have codes in kebab-case, sentences and hints', () => {
    for (const [code, { sentence, hint }] of Object.entries(errorTable)) {
      assert.match(code, /^[a-z]+(-[a-z]+)*$/)
      assert.match(sentence, /^[A-Za-z].*\.$/, code)
      assert.match(hint, /^[A-Z].*[.?}]$/, code)
    }
  })

  it('have four parts', () => {
    const cause = new Error('ENOENT')
    const error = new VhostkitError('timeout', { sentence: 'The switch did not answer within 3 s.', cause })
    assert.equal(error.sentence, 'The switch did not answer within 3 s.')
    assert.equal(error.message, error.sentence)
    assert.equal(error.hint, errorTable.timeout.hint)
    assert.equal(error.cause, cause)
    assert.equal(error.exitCode, 1)
    assert.equal('cause' in new VhostkitError('usage'), false)
  })
})
