import type { Command } from './command.js'
import { connect } from './common-options.js'

/** Three ways to a spec: questions, a file of answers, a domain that is there. */
export const initCommand: Command = {
  name: 'init',
  summary: 'ask what is to be, show the plan, and write the spec, apply it, or both',
  options: [
    { flags: '--answers <file>', about: 'answers as YAML or JSON ("-": stdin) in place of questions' },
    {
      flags: '--from <domain>',
      about: 'a domain of libvirt (or FILE.xml, "-": stdin) in place of questions',
    },
    { flags: '--to <file>', about: 'with --from: where to write the spec (NAME.yaml; "-": print it)' },
    connect,
    { flags: '--force', about: 'write over a spec that is there' },
  ],
  native: true,
  load: () => import('./commands/init.js'),
}
