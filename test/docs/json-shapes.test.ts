import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Repair } from '../../src/core/doctor/repair.js'
import { explanations } from '../../src/core/doctor/troubleshooting.js'
import type { Artifacts } from '../../src/core/render/artifacts.js'
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
    const names: Shape = 'string|[One]|null'
    for (const value of ['a', [{ name: 'a' }], null]) assert.deepEqual(misfits(names, value, shapes), [])
    for (const value of [1, [1], [{ name: 1 }]]) assert.equal(misfits(names, value, shapes).length, 1)
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
      // Its machines stand there by their names: each is in the artifacts as a whole.
      const { machines } = load(`test/golden/cases/${name}/artifacts.json`) as Artifacts
      const whole = (key: string, value: unknown) =>
        key === 'machine' ? (machines.find((one) => one.name === value) ?? value) : value
      const steps = readFileSync(`test/golden/cases/${name}/steps.json`, 'utf8')
      assert.deepEqual(misfits(['Step'], JSON.parse(steps, whole), all), [], name)
    }
    assert.ok(checked > 50)
  })

  it('are those of every explanation and every repair', () => {
    const all = readShapes()
    const misfit = (shape: string, value: unknown) => misfits(shape, value, all)
    assert.deepEqual(misfit('Explanations', { explanations: explanations() }), [])
    assert.deepEqual(misfit('Explanation', { ...explanations()[0], more: 1 }), [
      '$.more: not in the document',
    ])
    const edits: Repair[] = [
      { do: 'edit-domain', uuid: 'u', name: 'n', edit: { share: true } },
      { do: 'edit-domain', uuid: 'u', name: 'n', edit: { interface: 0, mtu: 1500 } },
      { do: 'edit-domain', uuid: 'u', name: 'n', edit: { interface: 0, mac: '52:54:00:00:00:01' } },
      { do: 'set-owner', path: '/p', uid: 0, mode: 0o750 },
      { do: 'set-group', path: '/p', gid: 0, mode: 0o750 },
      { do: 'set-mode', path: '/p', mode: 0o750 },
    ]
    for (const edit of edits) assert.deepEqual(misfit('Repair', edit), [])
  })

  it('are exact but for what others define: answers and the schema', () => {
    const loose = [...readShapes()].filter(([, shape]) => JSON.stringify(shape).includes('"any"'))
    assert.deepEqual(
      loose.map(([name]) => name),
      ['init', 'schema'],
    )
  })

  it('name only shapes that are there', () => {
    const all = readShapes()
    const names = [...all.values()].flatMap(
      (shape) => JSON.stringify(shape).match(/(?<=["|[])[A-Z]\w*(?=["|\]])/g) ?? [],
    )
    assert.ok(names.length > 10)
    for (const name of names) assert.ok(all.has(name), name)
  })
})
