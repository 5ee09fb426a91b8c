import { VhostkitError } from '../core/errors.js'
import { endProcesses } from '../drivers/end-processes.js'
import { removeFolder } from '../world/files.js'
import { type DemoFolders, makeDemoFolders, removeDeadDemos, takeDownAll } from './demo-folders.js'
import { type DemoResult, isOk } from './demo-result.js'
import { type GuestImage, makeGuest } from './guest/guest.js'
import type { GuestSession } from './guest/guest-session.js'
import { findHeldPages, findLeftBehind, findProcesses } from './left-behind.js'
import { measure } from './measure.js'
import type { Stages } from './stages.js'

export interface DemoOptions {
  /** The checkout: guest sources, spec template, cache. */
  root: string
  builtSwitch: string
  kills: number
  signal: AbortSignal
  stages: Stages
}

/** What a run of the demo owns and must let go of. */
export interface DemoRun extends DemoOptions {
  image: GuestImage
  place: DemoFolders
  sessions: GuestSession[]
}

/** Two real machines on a switch of their own; whatever happens, nothing is left behind. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { root, stages, signal } = options
  const image = await stages.stage('make the test guest', async (say) => {
    await removeDeadDemos(say)
    return makeGuest(root, say, signal)
  })
  const run: DemoRun = { ...options, image, place: await makeDemoFolders(), sessions: [] }
  const measured = await measure(run).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  const leftBehind = await stages.stage('clean up', () => cleanUp(run))
  if ('error' in measured) throw withLeftovers(measured.error, leftBehind)
  const result = { ...measured.value, left_behind: leftBehind }
  return { ...result, ok: isOk(result, options.kills) }
}

async function cleanUp({ place, sessions }: DemoRun): Promise<string[]> {
  for (const session of sessions) session.close()
  const failure = await takeDownAll(place.folders).then(
    () => null,
    (error: Error) => error.message,
  )
  // What the steps did not reach, such as a switch killed in the middle of its start.
  await endProcesses(
    (await findProcesses(place.base)).map(({ pid }) => pid),
    0,
  )
  const heldPages = await findHeldPages(place)
  await removeFolder(place.base)
  const left = await findLeftBehind(place, heldPages)
  return failure === null || left.length === 0 ? left : [...left, `because: ${failure}`]
}

function withLeftovers(error: unknown, leftBehind: string[]): unknown {
  if (leftBehind.length === 0) return error
  const sentence = error instanceof Error ? error.message : String(error)
  return new VhostkitError('demo-failed', {
    sentence: `${sentence} Left behind: ${leftBehind.join(', ')}.`,
    cause: error,
  })
}
