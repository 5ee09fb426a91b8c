import type { Command } from './command.js'

/** The rows below `switch`. */
export const switchCommands: Command[] = [
  { name: 'start', summary: 'start the switch', load: () => import('./commands/switch-start.js') },
  {
    name: 'stop',
    summary: 'stop the switch; its ports stay in its state file',
    load: () => import('./commands/switch-stop.js'),
  },
  {
    name: 'restart',
    summary: 'stop and start; machines reconnect by themselves',
    load: () => import('./commands/switch-restart.js'),
  },
  {
    name: 'status',
    summary: 'version, uptime, starts',
    load: () => import('./commands/switch-status.js'),
  },
  {
    name: 'ports',
    summary: 'ports with their state and features',
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
    summary: 'follow what happens, one line each, until Ctrl-C',
    options: [{ flags: '--for <seconds>', about: 'end after this time' }],
    load: () => import('./commands/switch-events.js'),
  },
]
