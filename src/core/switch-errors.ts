import { row } from './error-row.js'

/** Rows of the table in errors.ts about the switch: that it runs, as a service too, and what it is asked for. */
export const switchErrors = {
  'switch-unreachable': row(
    1,
    'The switch does not answer.',
    'Start it with `vhostkit switch start`; when it ends again, switch.log in the run folder says why.',
  ),
  'switch-start-failed': row(
    1,
    'The switch did not start.',
    'Mend what the end of switch.log in the run folder says.',
  ),
  'service-unsupported': row(
    4,
    'systemd does not run this host.',
    'Use `vhostkit switch start`: it has a supervisor of its own. `--root` and `--print` work everywhere.',
  ),
  'service-refused': row(
    4,
    'The service cannot be installed like this.',
    'Move the file named away, or mend what the sentence says; nothing was written.',
  ),
  'service-failed': row(
    1,
    'systemd did not do what it was asked for.',
    'Mend what it said, and run the command again.',
  ),
  'switch-refused': row(
    1,
    'The switch refused a request.',
    'Change what it names: it says what it expected and what it found.',
  ),
  'switch-changed': row(
    1,
    'The running switch was started differently.',
    'Apply the spec, then `vhostkit switch restart`: machines run on, and reconnect by themselves.',
  ),
  'capture-ended': row(
    1,
    'The capture ended before it was asked to.',
    'What was captured until then is whole; run the command again.',
  ),
  'port-exists': row(
    1,
    'The switch has another port of that name.',
    'Remove that port, or rename the machine.',
  ),
}
