import type { Command } from './command.js'
import { followFor } from './switch-commands.js'

/** The rows that look at what the switch does. */
export const seeingCommands: Command[] = [
  {
    name: 'top',
    summary: 'watch ports, rates, drops and workers live; q quits',
    options: [
      { flags: '--once', about: 'print one table, as it is without a terminal' },
      { flags: '--interval <seconds>', about: 'time between two samples, which rates are taken over (1)' },
      { flags: '--sort <key>', about: 'order of ports: name, rx, tx or drops (name)' },
    ],
    load: () => import('./commands/top.js'),
  },
  {
    name: 'events',
    summary: 'follow what happens at the switch, one line each, until Ctrl-C',
    options: [followFor],
    load: () => import('./commands/events.js'),
  },
  {
    name: 'capture',
    summary: 'write what passes a port as pcap-ng, into a file or for another program',
    args: [{ name: '<port>', about: 'as `vhostkit switch ports` names it' }],
    options: [
      { flags: '--write <file>', about: 'into this file; "-", and without it: on stdout' },
      { flags: '--filter <expression>', about: 'only these frames, as tcpdump takes it: "tcp port 80"' },
      { flags: '--count <number>', about: 'end after so many frames' },
      { flags: '--seconds <seconds>', about: 'end after this time' },
      { flags: '--snaplen <bytes>', about: 'keep only the beginning of each frame (all of it)' },
    ],
    load: () => import('./commands/capture.js'),
  },
]
