import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApplyOptions, apply, groupSteps, isLeft } from '../../src/apply/apply.js'
import { Journal } from '../../src/apply/journal.js'
import { knownArtifacts, parseReceipt, readReceipt, writeReceipt } from '../../src/apply/receipt.js'
import { refuseMove } from '../../src/apply/refuse-move.js'
import { settle } from '../../src/apply/settle.js'
import { unknownDeployment } from '../../src/apply/unknown-deployment.js'
import { VhostkitError } from '../../src/core/errors.js'
import type { Plan } from '../../src/core/plan/plan.js'
import type { MachineArtifact } from '../../src/core/render/artifacts.js'
import { removeFolder, startMachine } from '../../src/core/steps/make-step.js'
import { type FakeWorld, folderStep, makeFakeWorld, makeJournal, pagesStep } from './fake-hands.js'

describe('apply', () => {
  const options = (world: FakeWorld, more: Partial<ApplyOptions> = {}) => {
    const { journal, written } = makeJournal()
    const base: ApplyOptions = {
      hands: world,
      journal,
      progress: () => undefined,
      graceMs: 0,
      onFailure: 'undo',
    }
    return { options: { ...base, ...more }, journal, written }
  }

  it('writes each step down before it does it', async () => {
    const world = makeFakeWorld()
    const run = options(world)
    await apply([folderStep('/a'), folderStep('/b')], run.options)
    assert.deepEqual([...world.folders], ['/a', '/b'])
    const states = run.written.map(({ journal }) => journal.map(({ state }) => state).join(' '))
    assert.deepEqual(states, ['intended', 'done', 'done intended', 'done done'])
  })

  it('undoes in reverse when a step fails, the failed one too', async () => {
    const world = makeFakeWorld()
    world.failAt = 'remove-folder /c'
    const run = options(world)
    const steps = [folderStep('/a'), folderStep('/b'), removeFolder('/c'), folderStep('/d')]
    await assert.rejects(apply(steps, run.options), /no remove-folder \/c/)
    assert.deepEqual([...world.folders], ['/c'])
    assert.deepEqual(world.done.slice(-3), ['make-folder /c', 'remove-folder /b', 'remove-folder /a'])
    assert.deepEqual(
      run.journal.receipt.journal.map(({ state }) => state),
      ['undone', 'undone', 'undone'],
    )
  })

  it('leaves alone what stands where a folder could not be made', async () => {
    const world = makeFakeWorld()
    world.folders.add('/b')
    world.failAt = 'make-folder /b'
    const run = options(world)
    await assert.rejects(apply(['/a', '/b'].map(folderStep), run.options), /no make-folder \/b/)
    assert.deepEqual([...world.folders], ['/b'])
    assert.deepEqual(run.journal.receipt.journal.map(isLeft), [false, false])
  })

  it('leaves alone what it could not even write down', async () => {
    const world = makeFakeWorld()
    world.folders.add('/b')
    const { receipt } = makeJournal().journal
    let writes = 0
    const journal = new Journal(receipt, async () => {
      if (++writes === 3) throw new Error('no space')
    })
    await assert.rejects(apply(['/a', '/b'].map(folderStep), options(world, { journal }).options), /no space/)
    assert.deepEqual([...world.folders], ['/b'])
  })

  it('keeps the account of hugepages, also when it undoes', async () => {
    const world = makeFakeWorld()
    world.failAt = 'make-folder /c'
    const run = options(world)
    await apply([pagesStep(8)], run.options)
    assert.deepEqual(run.journal.receipt.reserved, [{ node: 0, pageBytes: 2 ** 21, pages: 8 }])
    const again = options(world)
    await assert.rejects(apply([pagesStep(2), folderStep('/c')], again.options))
    assert.deepEqual([world.pages, again.journal.receipt.reserved], [11, []])
  })

  it('is not satisfied with a step that only says it is done', async () => {
    const world = makeFakeWorld()
    world.check = async () => ({ ok: false, found: 'folder /a is not there' })
    await assert.rejects(
      apply([folderStep('/a')], options(world, { verifyLimitMs: 20 }).options),
      (error) => {
        return error instanceof VhostkitError && /done, but folder \/a is not there/.test(error.message)
      },
    )
  })

  it('goes on after a failure when it takes down', async () => {
    const world = makeFakeWorld()
    world.failAt = 'make-folder /a'
    const run = options(world, { onFailure: 'continue' })
    await assert.rejects(apply([folderStep('/a'), folderStep('/b')], run.options), /no make-folder \/a/)
    assert.deepEqual([...world.folders], ['/b'])
  })

  it('stops at an interrupt, and undoes', async () => {
    const world = makeFakeWorld()
    const controller = new AbortController()
    const run = options(world, {
      signal: controller.signal,
      progress: ({ step, state }) => {
        if (state === 'done' && step.id === 'make /a') controller.abort(new VhostkitError('interrupted'))
      },
    })
    await assert.rejects(apply(['/a', '/b'].map(folderStep), run.options), { code: 'interrupted' })
    assert.deepEqual([...world.folders], [])
  })

  it('undoes also when the journal cannot be written for a while', async () => {
    const world = makeFakeWorld()
    const { receipt } = makeJournal().journal
    let writes = 0
    let stored = ''
    const journal = new Journal(receipt, async ({ journal: entries }) => {
      if (++writes === 3) throw new Error('no space')
      stored = entries.map(({ state }) => state).join(' ')
    })
    await assert.rejects(apply(['/a', '/b'].map(folderStep), options(world, { journal }).options), /no space/)
    assert.deepEqual([...world.folders], [])
    assert.equal(stored, 'undone undone')
  })

  it('lets machines start side by side, and nothing else', () => {
    const machine = (name: string) => startMachine({ name } as MachineArtifact)
    const groups = groupSteps([folderStep('/a'), folderStep('/b'), machine('one'), machine('two')])
    assert.deepEqual(
      groups.map((group) => group.length),
      [1, 1, 2],
    )
  })
})

describe('receipt', () => {
  it('after a crash counts the pages that were really taken', async () => {
    for (const [now, held] of [
      [3, 0],
      [7, 4],
      [11, 8],
      [20, 8],
    ] as const) {
      const { journal } = makeJournal()
      await journal.intend(pagesStep(8))
      await journal.note(pagesStep(8), { before: 3 })
      const settled = await settle(journal.receipt, async () => now, 'this boot')
      assert.equal(settled.reserved[0]?.pages ?? 0, held)
    }
  })

  it('of another boot owes nothing: the pages that are there now are of others', async () => {
    const make = async (boot: string) => {
      const { journal } = makeJournal()
      journal.receipt.boot = boot
      journal.receipt.reserved = [{ node: 0, pageBytes: 2 ** 21, pages: 8 }]
      await journal.intend(pagesStep(8))
      await journal.note(pagesStep(8), { before: 3 })
      return settle(journal.receipt, async () => 11, 'this boot')
    }
    const old = await make('the boot before')
    assert.deepEqual([old.reserved, old.journal, old.boot], [[], [], 'this boot'])
    const own = await make('this boot')
    assert.deepEqual([own.reserved[0]?.pages, own.journal.length], [16, 1])
  })

  it('stays with the driver and the libvirt it was applied with', () => {
    const plan = (driver: 'qemu' | 'libvirt', connect?: string) =>
      ({ deployment: 'd', driver, ...(connect && { libvirt: { connect, user: null } }) }) as Plan
    const system = plan('libvirt', 'qemu:///system')
    for (const [before, now] of [
      [undefined, system],
      [system, plan('libvirt', 'qemu:///system')],
      [plan('qemu'), plan('qemu')],
    ] as const) {
      assert.doesNotThrow(() => refuseMove(before, now))
    }
    for (const other of [plan('libvirt', 'qemu:///session'), plan('qemu')]) {
      assert.throws(
        () => refuseMove(system, other),
        /was applied with libvirt at qemu:\/\/\/system, and is now/,
      )
      assert.throws(() => refuseMove(other, system), /and is now to be with libvirt at qemu:\/\/\/system/)
    }
  })

  it('is none for what is no name, wherever that would lead', async () => {
    const state = mkdtempSync(join(tmpdir(), 'vkt-'))
    const { receipt } = makeJournal().journal
    writeFileSync(join(state, 'other.json'), JSON.stringify({ ...receipt, deployment: 'other' }))
    mkdirSync(join(state, 'deployments'))
    assert.equal(await readReceipt(state, '../other'), null)
    rmSync(state, { recursive: true })
  })

  it('is looked for by name: who asks for another is told what there is', async () => {
    const state = mkdtempSync(join(tmpdir(), 'vkt-'))
    const said = async (name: string) => {
      const { message, hint, exitCode } = await unknownDeployment(name, state)
      return `${message} ${hint} ${exitCode}`
    }
    const nobody = 'No deployment lab was applied here. Begin with `vhostkit apply SPEC`. 1'
    assert.equal(await said('lab'), nobody)
    const { receipt } = makeJournal().journal
    for (const deployment of ['pair', 'web']) await writeReceipt(state, { ...receipt, deployment })
    assert.equal(await said('lab'), 'No deployment lab was applied here. Applied here: pair, web. 1')
    const meant = 'No deployment piar was applied here; did you mean pair? Applied here: pair, web. 1'
    assert.equal(await said('piar'), meant)
    rmSync(state, { recursive: true })
  })

  it('knows the machines of before and of now while it changes', () => {
    const { receipt } = makeJournal().journal
    const artifacts = (...names: string[]) => {
      return { ...receipt.artifacts, machines: names.map((name) => ({ name }) as MachineArtifact) }
    }
    const known = knownArtifacts({ ...receipt, artifacts: artifacts('b', 'c'), before: artifacts('a', 'b') })
    assert.deepEqual(
      known.machines.map(({ name }) => name),
      ['b', 'c', 'a'],
    )
  })

  it('that is damaged is refused', () => {
    const { receipt } = makeJournal().journal
    assert.equal(parseReceipt(JSON.stringify(receipt), 'x').deployment, 'pair')
    for (const text of ['', '{', '{}', JSON.stringify({ ...receipt, journal: null })]) {
      assert.throws(() => parseReceipt(text, '/state/pair.json'), {
        code: 'state-damaged',
        message: /\/state\/pair\.json is damaged/,
        hint: /apply/,
      })
    }
  })
})
