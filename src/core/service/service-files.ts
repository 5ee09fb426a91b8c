import { VhostkitError } from '../errors.js'
import { showExecLine } from './exec-line.js'

export const unitName = 'vhostkit-switch.service'

/** Whom the switch runs as; templates/systemd names it, too. */
export const serviceUser = 'vhostkit'

/** Where each template of templates/systemd belongs. */
export const servicePlaces = {
  'vhostkit-switch.service': `/etc/systemd/system/${unitName}`,
  'vhostkit.sysusers': '/etc/sysusers.d/vhostkit.conf',
  'vhostkit.tmpfiles': '/etc/tmpfiles.d/vhostkit.conf',
} as const

export type ServiceTemplate = keyof typeof servicePlaces

export interface ServiceFile {
  template: ServiceTemplate
  path: string
  text: string
}

/** What systemd needs to run the switch: its unit, its user, its folders. */
export function renderServiceFiles(
  templates: Readonly<Record<ServiceTemplate, string>>,
  argv: readonly string[],
  run: string,
): ServiceFile[] {
  // systemd would expand or cut other ones, differently in each of the three files.
  if (!/^\/[\w+=:,./-]+$/.test(run)) {
    throw new VhostkitError('service-refused', {
      sentence: `Units cannot name the folder ${JSON.stringify(run)}.`,
      hint: 'Use a folder of letters, digits and _+=:,.- only (--run-dir).',
    })
  }
  const words: Record<string, string> = { EXECSTART: showExecLine(argv), RUN: run }
  return (Object.keys(servicePlaces) as ServiceTemplate[]).map((template) => ({
    template,
    path: servicePlaces[template],
    text: templates[template].replace(/@([A-Z]+)@/g, (all, key: string) => words[key] ?? all),
  }))
}
