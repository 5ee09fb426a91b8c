import type { MachinePlan } from '../../plan/plan.js'
import { element, type XmlElement } from '../../xml/xml.js'

/** The console: a socket to talk over, and a log of what nobody heard. */
export function renderSerial({ consoleSocket, consoleLog }: MachinePlan): XmlElement {
  return element(
    'serial',
    { type: 'unix' },
    element('source', { mode: 'bind', path: consoleSocket }),
    element('log', { file: consoleLog, append: 'off' }),
    element('target', { type: 'isa-serial', port: 0 }, element('model', { name: 'isa-serial' })),
  )
}
