import { Journal } from '../../src/apply/journal.js'
import type { Receipt } from '../../src/apply/receipt.js'
import type { Plan } from '../../src/core/plan/plan.js'
import type { Artifacts } from '../../src/core/render/artifacts.js'
import type { Action, Check, Step } from '../../src/core/steps/steps.js'
import type { Hands } from '../../src/drivers/driver.js'

/** A host of folders and hugepages that can be told to fail. */
export interface FakeWorld extends Hands {
  folders: Set<string>
  pages: number
  done: string[]
  failAt: string | null
}

export function makeFakeWorld(): FakeWorld {
  const world: FakeWorld = {
    folders: new Set(),
    pages: 3,
    done: [],
    failAt: null,
    perform: async (action: Action, { note }) => {
      if (world.failAt === describe(action)) throw new Error(`no ${describe(action)}`)
      world.done.push(describe(action))
      if (action.do === 'make-folder') world.folders.add(action.path)
      if (action.do === 'remove-folder') world.folders.delete(action.path)
      if (action.do === 'reserve-hugepages' || action.do === 'release-hugepages') {
        await note({ before: world.pages })
        world.pages += action.do === 'reserve-hugepages' ? action.pages : -action.pages
      }
    },
    check: async (check: Check) => {
      const ok = check.expect !== 'folder' || world.folders.has(check.path) === check.present
      return { ok, found: 'it is as it is' }
    },
  }
  return world
}

export function folderStep(path: string): Step {
  return {
    id: `make ${path}`,
    label: `make ${path}`,
    action: { do: 'make-folder', path },
    undo: { do: 'remove-folder', path },
    verify: { expect: 'folder', path, present: true },
  }
}

export function pagesStep(pages: number): Step {
  const amount = { node: 0, pageBytes: 2 ** 21, pages }
  return {
    id: 'reserve',
    label: 'reserve',
    action: { do: 'reserve-hugepages', ...amount },
    undo: { do: 'release-hugepages', ...amount },
    verify: { expect: 'nothing' },
  }
}

/** A journal that keeps every text it would have written. */
export function makeJournal(): { journal: Journal; written: Receipt[] } {
  const written: Receipt[] = []
  const receipt: Receipt = {
    version: 1,
    deployment: 'pair',
    status: 'changing',
    operation: 'test',
    time: '',
    spec: { path: 'pair.yaml', text: '' },
    plan: {} as Plan,
    artifacts: { machines: [] as Artifacts['machines'] } as Artifacts,
    before: null,
    reserved: [],
    journal: [],
  }
  const journal = new Journal(receipt, async (changed) => void written.push(structuredClone(changed)))
  return { journal, written }
}

function describe(action: Action): string {
  return 'path' in action ? `${action.do} ${action.path}` : action.do
}
