import { VhostkitError } from '../core/errors.js'
import { domainNeeds } from '../core/hook/domain-needs.js'
import { parseXml } from '../core/xml/parse-xml.js'
import { prepareDomain } from './prepare-domain.js'
import { domainStarted, releaseDomain } from './release-domain.js'
import { type HookSettings, readSettings } from './settings.js'

/** What a hook says to libvirt: an exit code, and one line for whoever started the domain. */
export interface HookOutcome {
  exitCode: 0 | 1
  line: string
}

const fine: HookOutcome = { exitCode: 0, line: '' }

/**
 * One call of the hook. Only `prepare` may fail: that ends the start with our line. Elsewhere
 * a failure would be ignored at best, and at worst (reconnect) end a machine that runs.
 */
export async function runHook(operation: string, stateFolder: string, xml: string): Promise<HookOutcome> {
  if (operation === 'prepare') {
    try {
      await handle(operation, stateFolder, xml)
      return fine
    } catch (error) {
      return { exitCode: 1, line: describe(error) }
    }
  }
  await handle(operation, stateFolder, xml).catch(() => undefined)
  return fine
}

async function handle(operation: string, stateFolder: string, xml: string): Promise<void> {
  const settings = await readSettings(stateFolder)
  if (settings === null) return
  const needs = domainNeeds(parseXml(xml), settings.folders.run)
  if (needs === null) return
  const handlers: Record<string, (settings: HookSettings) => Promise<unknown>> = {
    prepare: () => prepareDomain(needs, settings),
    started: () => domainStarted(needs.uuid, settings),
    release: () => releaseDomain(needs.uuid, settings),
  }
  await handlers[operation]?.(settings)
}

function describe(error: unknown): string {
  if (!(error instanceof VhostkitError)) return `vhostkit: ${String(error).split('\n')[0]}`
  return `vhostkit: ${error.sentence} ${error.hint}`.replaceAll('\n', ' ')
}
