import type { Command } from './command.js'

const machine = { name: '<machine>', about: 'as in "vm1", or "pair/vm1" when several deployments have one' }

/** Commands on one machine that runs. */
export const machineCommands: Command[] = [
  {
    name: 'console',
    summary: 'attach to the serial console of a machine; Ctrl-] detaches',
    args: [machine],
    options: [
      {
        flags: '--until <pattern>',
        about: 'detach when it has said this since its start (a regular expression)',
      },
      { flags: '--for <seconds>', about: 'detach after this time' },
    ],
    load: () => import('./commands/console.js'),
  },
  {
    name: 'ssh',
    summary: 'log in to a machine at the address that is known of it, by the real ssh',
    args: [machine, { name: '[command...]', about: 'what to run there in place of a shell; after "--"' }],
    options: [
      { flags: '--user <name>', about: 'who to log in as (the user of its cloud-init seed, else yours)' },
      { flags: '--identity <file>', about: 'the private key to log in with, and no other' },
      { flags: '--print-address', about: 'only print its address, as `address` does' },
    ],
    load: () => import('./commands/ssh.js'),
  },
  {
    name: 'address',
    summary: 'print the address of a machine: of its lease, or as the host has met it',
    args: [machine],
    load: () => import('./commands/address.js'),
  },
]
