import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  renderServiceFiles,
  type ServiceFile,
  servicePlaces,
} from '../../../src/core/service/service-files.js'

export const goldenFolder = 'test/golden/service'

/** The files of the service, for a switch with words that systemd would change. */
export function sampleService(more: string[] = [], group: string | null = null): ServiceFile[] {
  const names = Object.keys(servicePlaces)
  const templates = Object.fromEntries(
    names.map((name) => [name, readFileSync(join('templates/systemd', name), 'utf8')]),
  ) as Record<keyof typeof servicePlaces, string>
  const argv = [
    '/usr/libexec/vhostkit-switch',
    '--control',
    '/run/vhostkit/switch.sock',
    '--state',
    '/srv/100% of $HOME/s.json',
  ]
  return renderServiceFiles(templates, [...argv, '--monitor', ...more], '/run/vhostkit', group)
}
