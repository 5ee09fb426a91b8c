import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { guestCmdline } from '../../src/demo/guest/cmdline.js'
import type { GuestImage } from '../../src/demo/guest/guest.js'
import { GuestSession } from '../../src/demo/guest/guest-session.js'
import type { Sandbox } from './sandbox.js'

/** Two network namespaces with a veth between them: the "host" of the test, and a machine beyond it. */
export const host = 'vkt-host'
export const beyond = 'vkt-beyond'
export const beyondAddress = '198.51.100.2'

export function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' })
}

/** Runs a program in a namespace; its output, or a throw. */
export function inside(space: string, ...words: string[]): string {
  return execFileSync('ip', ['netns', 'exec', space, ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

export function makeSpaces(): void {
  removeSpaces()
  ip('netns', 'add', host)
  ip('netns', 'add', beyond)
  ip('-n', host, 'link', 'add', 'uplink', 'type', 'veth', 'peer', 'name', 'uplink', 'netns', beyond)
  ip('-n', host, 'address', 'add', '198.51.100.1/24', 'dev', 'uplink')
  ip('-n', beyond, 'address', 'add', `${beyondAddress}/24`, 'dev', 'uplink')
  for (const space of [host, beyond]) {
    ip('-n', space, 'link', 'set', 'lo', 'up')
    ip('-n', space, 'link', 'set', 'uplink', 'up')
  }
  // A hardened host: a change of ip_forward would set these too, and they must come back.
  for (const setting of ['ip_forward=0', 'conf.all.accept_redirects=0', 'conf.uplink.forwarding=1'])
    inside(host, 'sysctl', '-qw', `net.ipv4.${setting}`)
}

export function removeSpaces(): void {
  for (const space of [host, beyond]) {
    try {
      execFileSync('ip', ['netns', 'delete', space], { stdio: 'ignore' })
    } catch {
      // It was not there.
    }
  }
}

/** Rules of iptables-legacy on the "host", each as on its command line. */
export function setLegacy(...rules: string[]): void {
  for (const rule of rules) inside(host, 'iptables-legacy', ...rule.split(' '))
}

/** Everything that must be as before: rules, links, forwarding and what goes with it, dnsmasqs. */
export function lookAtNetwork(sandbox: Sandbox): Record<string, string> {
  const setting = (name: string) => inside(host, 'sysctl', '-n', `net.ipv4.${name}`).trim()
  return {
    rules: inside(host, 'nft', 'list', 'ruleset'),
    links: ip('-n', host, '-brief', 'link'),
    ip_forward: setting('ip_forward'),
    accept_redirects: setting('conf.all.accept_redirects'),
    uplink: setting('conf.uplink.forwarding'),
    dnsmasqs: dnsmasqs(sandbox).join(' '),
  }
}

/** Pids of those that were told to read a file of the sandbox. */
export function dnsmasqs(sandbox: Sandbox): string[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,stat=,args='], { encoding: 'utf8' }).split('\n')
  return lines
    .filter((line) => line.includes(`--conf-file=${sandbox.run}`) && !/^\s*\d+ Z/.test(line))
    .map((line) => line.trim().split(' ')[0] ?? '')
}

/** The command line tool in the namespace of the "host". */
export const insideProgram = ['ip', 'netns', 'exec', host, process.execPath, 'bin/vhostkit.js']

/** What the host does for a network, all of it. */
export const fullNetwork = 'dhcp: { domain: lab.internal }, nat: true'

/** The guests that a test talks with. */
export class Guests {
  readonly #sessions = new Map<string, GuestSession>()

  of(machine: string): GuestSession {
    return this.#sessions.get(machine) ?? assert.fail(`${machine} runs`)
  }

  /** Waits until the guests of `outSpec` are up. */
  async meet(sandbox: Sandbox): Promise<void> {
    for (const machine of ['one', 'two_2']) this.#sessions.set(machine, await meetGuest(sandbox, machine))
  }

  /** How many of three pings are answered. */
  async pings(machine: string, peer: string): Promise<number> {
    return (await this.of(machine).ping(peer, 3, 0.3)).received
  }

  close(): void {
    for (const session of this.#sessions.values()) session.close()
  }
}

async function meetGuest(sandbox: Sandbox, machine: string): Promise<GuestSession> {
  const { data } = await sandbox.json('console', `out/${machine}`, '--until', '^@ready', '--for', '90')
  assert.equal(data.ended, 'matched', `${machine} boots: ${data.said}`)
  const socket = join(sandbox.run, `machines/out.${machine}/console.sock`)
  const session = await GuestSession.connect(machine, socket, new AbortController().signal)
  await session.answers()
  return session
}

/** Its IPv4 address and prefix length, as the guest itself says. */
export async function readOwnAddress(session: GuestSession): Promise<string | undefined> {
  return /inet (\S+)/.exec(await session.run('ip -4 address show eth0'))?.[1]
}

/** Two guests that ask for their addresses; what else the network has is given, and `more` lines at the top. */
export function outSpec({ kernel, initrd }: GuestImage, network: string, more: string[] = []): string {
  return [
    'version: 1',
    'name: out',
    ...more,
    'hugepages: off',
    `boot: { kernel: ${kernel}, initrd: ${initrd}, cmdline: ${guestCmdline} vhostkit.ip=dhcp }`,
    `networks: [{ name: lan, host: 192.168.79.1/24, ${network} }]`,
    'machines:',
    '  - { name: one, memory: 128M, interfaces: [lan] }',
    '  - { name: two_2, memory: 128M, interfaces: [{ network: lan, address: 192.168.79.20/24 }] }',
    '',
  ].join('\n')
}
