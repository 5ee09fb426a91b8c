import { VhostkitError } from '../errors.js'
import { userOf } from '../render/switch/switch-user.js'
import { showExecLine } from './exec-line.js'

export const unitName = 'vhostkit-switch.service'

/** Whom the switch runs as where its command line says nobody. */
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

/**
 * What systemd needs to run the switch: its unit, its user, its folders. systemd starts it as the user of its command
 * line, so that it has nobody to become. `group` is his; null: one of his name.
 */
export function renderServiceFiles(
  templates: Readonly<Record<ServiceTemplate, string>>,
  argv: readonly string[],
  run: string,
  group: string | null = null,
): ServiceFile[] {
  // systemd would expand or cut other ones, differently in each of the three files.
  if (!/^\/[\w+=:,./-]+$/.test(run)) {
    throw new VhostkitError('service-refused', {
      sentence: `Units cannot name the folder ${JSON.stringify(run)}.`,
      hint: 'Use a folder of letters, digits and _+=:,.- only (--run-dir).',
    })
  }
  const user = userOf(argv) ?? serviceUser
  const words: Record<string, string> = {
    EXECSTART: showExecLine(argv),
    RUN: run,
    USER: user,
    GROUP: group ?? user,
  }
  return (Object.keys(servicePlaces) as ServiceTemplate[]).map((template) => ({
    template,
    path: servicePlaces[template],
    text: templates[template].replace(/@([A-Z]+)@/g, (all, key: string) => words[key] ?? all),
  }))
}
