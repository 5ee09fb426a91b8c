import type { Command } from './command.js'
import { connect } from './common-options.js'
import { initCommand } from './init-command.js'
import { machineCommands } from './machine-commands.js'
import { seeingCommands } from './seeing-commands.js'
import { switchCommands } from './switch-commands.js'

const spec = { name: '<spec>', about: 'a spec file (YAML or JSON)' }
const deployment = { name: '<deployment>', about: 'the name in the spec' }
const machine = { name: '[machine]', about: 'one machine; all of them without it' }
const dryRun = { flags: '--dry-run', about: 'only print the steps' }
const grace = { flags: '--grace <seconds>', about: 'time a machine gets to shut down by itself (10)' }
const restart = {
  flags: '--restart',
  about: 'restart machines and the switch where they run other than planned',
}
const driver = [
  { flags: '--driver <name>', about: 'qemu or libvirt, in place of the driver in the spec' },
  connect,
]

const plugArgs = [
  { name: '<domain>', about: 'its name or UUID' },
  { name: '<network>', about: 'a network of the switch' },
]

/** Every command there is; help comes from here too. */
export const commands: Command[] = [
  initCommand,
  {
    name: 'schema',
    summary: 'print the JSON Schema of a spec, for editors and other programs',
    load: () => import('./commands/schema.js'),
  },
  {
    name: 'plan',
    summary: 'show what a spec would become on this host, and why',
    args: [spec],
    options: driver,
    native: true,
    load: () => import('./commands/plan.js'),
  },
  {
    name: 'render',
    summary: 'show the exact command lines and requests, or write them into a folder',
    args: [spec],
    options: [
      ...driver,
      { flags: '--to <folder>', about: 'write all of it into this folder' },
      { flags: '--force', about: 'also over files there that others wrote or edited' },
    ],
    native: true,
    load: () => import('./commands/render.js'),
  },
  {
    name: 'diff',
    summary: 'show the steps between this host and a spec; exit code 5 when there are any',
    args: [spec],
    options: [...driver, restart],
    native: true,
    load: () => import('./commands/diff.js'),
  },
  {
    name: 'apply',
    summary: 'bring this host to what a spec says',
    args: [spec],
    options: [...driver, dryRun, restart, grace],
    native: true,
    load: () => import('./commands/apply.js'),
  },
  {
    name: 'status',
    summary: 'show what runs: deployments, machines, ports, hugepages',
    args: [{ name: '[deployment]', about: 'only this one' }],
    load: () => import('./commands/status.js'),
  },
  {
    name: 'start',
    summary: 'start machines of a deployment that was applied',
    args: [deployment, machine],
    native: true,
    load: () => import('./commands/start.js'),
  },
  {
    name: 'stop',
    summary: 'stop machines; their ports stay',
    args: [deployment, machine],
    options: [grace],
    load: () => import('./commands/stop.js'),
  },
  {
    name: 'destroy',
    summary: 'take a deployment down and leave nothing behind but disks',
    args: [deployment],
    options: [
      dryRun,
      grace,
      { flags: '--disks', about: 'also remove the disks that were made for it, with what is on them' },
    ],
    load: () => import('./commands/destroy.js'),
  },
  ...machineCommands,
  {
    name: 'doctor',
    summary: 'look for what is wrong with this host, or a domain, and mend it',
    args: [{ name: '[domain]', about: 'a domain of libvirt, its cards too: name or UUID' }],
    options: [
      { flags: '--fix', about: 'mend what can be mended safely; shows it and asks before' },
      { flags: '--yes', about: 'with --fix: do not ask' },
      connect,
    ],
    load: () => import('./commands/doctor.js'),
  },
  ...seeingCommands,
  {
    name: 'switch',
    summary: 'the native switch',
    commands: switchCommands,
  },
  {
    name: 'accelerate',
    summary: 'give an existing domain vhost-user cards; all else in it stays',
    args: [{ name: '<domain>', about: 'its name or UUID' }],
    options: [
      {
        flags: '--network <name>',
        about: 'network of the switch for its cards (else named as the one each is on)',
      },
      { flags: '--dry-run', about: 'only show the difference' },
      connect,
    ],
    native: true,
    load: () => import('./commands/accelerate.js'),
  },
  {
    name: 'restore',
    summary: 'bring back what a domain was before it was accelerated',
    args: [{ name: '<domain>', about: 'its name or UUID' }],
    options: [connect],
    load: () => import('./commands/restore.js'),
  },
  {
    name: 'interface',
    summary: 'cards of a domain, also while it runs',
    commands: [
      {
        name: 'attach',
        summary: 'one more card',
        args: plugArgs,
        options: [
          { flags: '--mac <address>', about: 'its MAC (derived from the names)' },
          { flags: '--queues <count>', about: 'queue pairs (1)' },
          { flags: '--mtu <bytes>', about: 'its MTU (that of the network, else 1500)' },
          dryRun,
          connect,
        ],
        load: () => import('./commands/interface-attach.js'),
      },
      {
        name: 'detach',
        summary: 'take one away',
        args: plugArgs,
        options: [
          { flags: '--mac <address>', about: 'which card, when it has several on that network' },
          dryRun,
          connect,
        ],
        load: () => import('./commands/interface-detach.js'),
      },
    ],
  },
  {
    name: 'hooks',
    summary: "libvirt's hook: ports and hugepages of domains",
    commands: [
      {
        name: 'install',
        summary: 'write the drop-in into the hooks folder of libvirt',
        options: [{ flags: '--hooks-dir <folder>', about: 'that folder (/etc/libvirt/hooks)' }],
        native: true,
        load: () => import('./commands/hooks-install.js'),
      },
      {
        name: 'status',
        summary: 'whether it is there and libvirtd sees it',
        load: () => import('./commands/hooks-status.js'),
      },
      {
        name: 'uninstall',
        summary: 'remove the drop-in',
        load: () => import('./commands/hooks-uninstall.js'),
      },
    ],
  },
  {
    name: 'demo',
    summary: 'two real machines, pings, a killed switch, and nothing left behind',
    options: [{ flags: '--kills <count>', about: 'how often the switch is killed (5)' }],
    native: true,
    load: () => import('./commands/demo.js'),
  },
  {
    name: 'explain',
    summary: 'say what an error code means and what to do',
    args: [{ name: '[code]', about: 'as in "[hugepages-short]"; all of them without it' }],
    load: () => import('./commands/explain.js'),
  },
  {
    name: 'completion',
    summary: 'print completion of the command line for a shell',
    args: [{ name: '<shell>', about: 'bash, zsh or fish' }],
    load: () => import('./commands/completion.js'),
  },
  {
    name: 'man',
    summary: 'print a man page, or write all of them into a folder',
    args: [{ name: '[command]', about: 'one command; the program itself without it' }],
    options: [{ flags: '--to <folder>', about: 'write all pages into this folder' }],
    load: () => import('./commands/man.js'),
  },
]
