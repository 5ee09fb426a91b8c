import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { misfits, readShapes, type Shape } from './json-shapes.js'

const shapes = new Map<string, Shape>([['One', { name: 'string', 'why?': 'string|null' }]])

describe('shapes of JSON', () => {
  it('fit, or say where not', () => {
    const shape: Shape = { ones: ['One'], counts: { '*': 'number' } }
    assert.deepEqual(
      misfits(shape, { ones: [{ name: 'a' }, { name: 'b', why: null }], counts: { x: 1 } }, shapes),
      [],
    )
    assert.deepEqual(misfits(shape, { ones: [{ nam: 'a' }], counts: { x: '1' } }, shapes), [
      '$.ones[0].name: missing',
      '$.ones[0].nam: not in the document',
      '$.counts.x: string in place of number',
    ])
    assert.deepEqual(misfits(shape, { ones: {}, counts: 1 }, shapes), [
      '$.ones: no list',
      '$.counts: no object',
    ])
    assert.deepEqual(misfits('Two', {}, shapes), ['$: there is no shape Two'])
  })

  it('are those of every golden case and every host of the tests', () => {
    const all = readShapes()
    const load = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))
    let checked = 0
    const fits = (shape: string, path: string) => {
      const kept = all.get(shape)
      assert.ok(kept !== undefined)
      assert.deepEqual(misfits(kept, load(path), all), [], path)
      checked++
    }
    for (const name of readdirSync('test/hosts')) fits('Facts', `test/hosts/${name}`)
    for (const name of readdirSync('test/golden/cases')) {
      if (!existsSync(`test/golden/cases/${name}/plan.json`)) continue
      fits('plan', `test/golden/cases/${name}/plan.json`)
      fits('render', `test/golden/cases/${name}/artifacts.json`)
    }
    assert.ok(checked > 50)
  })

  it('name only shapes that are there', () => {
    const all = readShapes()
    const names = [...all.values()].flatMap(
      (shape) => JSON.stringify(shape).match(/(?<=["|])[A-Z]\w*(?=["|])/g) ?? [],
    )
    assert.ok(names.length > 10)
    for (const name of names) assert.ok(all.has(name), name)
  })
})
