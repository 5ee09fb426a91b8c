import type { Command } from './command.js'

export const followFor = { flags: '--for <seconds>', about: 'end after this time' }

/** The rows below `switch`. */
export const switchCommands: Command[] = [
  {
    name: 'start',
    summary: 'start the switch',
    native: true,
    load: () => import('./commands/switch-start.js'),
  },
  {
    name: 'stop',
    summary: 'stop the switch; its ports stay in its state file',
    load: () => import('./commands/switch-stop.js'),
  },
  {
    name: 'restart',
    summary: 'stop and start; machines reconnect by themselves',
    native: true,
    load: () => import('./commands/switch-restart.js'),
  },
  {
    name: 'install',
    summary: 'have systemd run the switch: its unit, user and folders',
    options: [
      { flags: '--print', about: 'only print the files' },
      { flags: '--dry-run', about: 'only say what would be written and run' },
      { flags: '--root <folder>', about: 'write the files below this folder, run nothing (for packages)' },
    ],
    native: true,
    load: () => import('./commands/switch-install.js'),
  },
  {
    name: 'uninstall',
    summary: 'take them away again; the switch goes on with its own supervisor',
    options: [
      { flags: '--dry-run', about: 'only say what would be removed' },
      { flags: '--root <folder>', about: 'remove the files below this folder, run nothing' },
    ],
    load: () => import('./commands/switch-uninstall.js'),
  },
  {
    name: 'status',
    summary: 'version, uptime, starts, who supervises it',
    load: () => import('./commands/switch-status.js'),
  },
  {
    name: 'ports',
    summary: 'ports with their state, node, queues and last error',
    load: () => import('./commands/switch-ports.js'),
  },
  {
    name: 'stats',
    summary: 'frames, bytes and drops of each port',
    load: () => import('./commands/switch-stats.js'),
  },
  { name: 'macs', summary: 'learnt addresses', load: () => import('./commands/switch-macs.js') },
  {
    name: 'workers',
    summary: 'workers with their core and load',
    load: () => import('./commands/switch-workers.js'),
  },
  {
    name: 'events',
    summary: 'as `vhostkit events`',
    options: [followFor],
    load: () => import('./commands/events.js'),
  },
  {
    name: 'metrics',
    summary: 'its counters in the text format of Prometheus',
    options: [
      {
        flags: '--listen <address>',
        about: 'serve them over HTTP, as in 127.0.0.1:9720 (only a port: this host)',
      },
    ],
    load: () => import('./commands/switch-metrics.js'),
  },
]
