import { parseCidr } from '../spec/address.js'
import { parseSpec } from '../spec/parse-spec.js'
import type { Problem } from '../spec/problem.js'
import type { BootSpec, Spec } from '../spec/spec.js'
import { writeYaml } from '../spec/write-yaml.js'
import { groupsOf } from './ask-machines.js'
import { guestOf } from './guest-choice.js'
import { type Answers, answerTo, splitWords } from './question.js'
import type { GuestChoice, Sights } from './sights.js'

/** The spec that answers stand for, as a text that is written and parsed like any other. */
export function toSpecText(sights: Sights, answers: Answers): string {
  const of = (id: string) => answerTo(answers, id)
  const guest = guestOf(sights, answers)
  const boot = guest === null ? ownBoot(answers) : guest.addressed ? null : guest.boot
  return writeYaml(
    {
      version: 1,
      name: of('name'),
      ...(of('driver') === 'libvirt' ? { driver: 'libvirt' } : {}),
      ...(['', 'preferred'].includes(of('hugepages')) ? {} : { hugepages: of('hugepages') }),
      ...(boot === null ? {} : { boot: withoutEmpty(boot) }),
      ...(of('firmware') === 'uefi' ? { firmware: 'uefi' } : {}),
      ...cloudInitEntry(sights, answers),
      networks: splitWords(of('networks')).map((name) => {
        const host = of(`host.${name}`)
        if (host === '' || host === 'none') return { name }
        const services = of(`services.${name}`)
        const dhcp = services === 'both' || services === 'dhcp' ? { dhcp: true } : {}
        const nat = services === 'both' || services === 'nat' ? { nat: true } : {}
        return { name, host, ...dhcp, ...nat }
      }),
      machines: listMachines(answers).map((machine, index) => ({
        ...machine,
        ...diskEntry(guest, answers),
        interfaces: interfaceEntries(answers, machine.interfaces, index),
        ...(guest?.addressed === true && guest.boot !== null
          ? { boot: addressedBoot(guest.boot, answers, machine.interfaces, index) }
          : {}),
      })),
    },
    'Written by `vhostkit init`; `vhostkit apply` carries it out. Every key: docs/spec.md.',
  )
}

export function toSpec(sights: Sights, answers: Answers): { ok: Spec } | { problems: Problem[] } {
  return parseSpec(toSpecText(sights, answers), 'answers')
}

/** The addresses that the machines will have, as far as the wizard gives them any. */
export function listAddresses(sights: Sights, answers: Answers): string[] {
  const guest = guestOf(sights, answers)
  if (guest?.addressed !== true && !hasSeed(answers)) return []
  return listMachines(answers).flatMap(
    ({ interfaces }, index) => addressOf(answers, interfaces, index)?.split('/')[0] ?? [],
  )
}

interface MachineEntry {
  name: string
  cpus: number
  memory: string
  interfaces: string[]
}

function listMachines(answers: Answers): MachineEntry[] {
  const of = (id: string) => answerTo(answers, id)
  const groups = groupsOf(answers)
  const one = (group: string, name: string): MachineEntry => ({
    name,
    cpus: Number(of(`${group}cpus`)),
    memory: of(`${group}memory`),
    interfaces: splitWords(of(`${group}networks`) || of('networks')),
  })
  if (groups[0] !== '') return groups.map((group) => one(group, of(`${group}name`)))
  return Array.from({ length: Number(of('machines')) }, (_, index) => one('', `vm${index + 1}`))
}

/** Whether the guests get a seed. */
function hasSeed(answers: Answers): boolean {
  return !['', 'none'].includes(answerTo(answers, 'user'))
}

function cloudInitEntry({ keys }: Sights, answers: Answers): Record<string, unknown> {
  if (!hasSeed(answers)) return {}
  const key = keys.find(({ file }) => file === answerTo(answers, 'key'))
  const user = { user: answerTo(answers, 'user') }
  return { 'cloud-init': { ...user, ...(key === undefined ? {} : { 'ssh-keys': [key.line] }) } }
}

function diskEntry(guest: GuestChoice | null, answers: Answers): Record<string, unknown> {
  const disk = guest?.disk ?? null
  if (disk === null) return {}
  const size = answerTo(answers, 'disk')
  if (disk.use === 'image') return { disks: [{ image: disk.path, size }] }
  return { boot: 'cdrom', disks: [{ size }, { cdrom: disk.path }] }
}

/** With a seed the guest is told its address on its first network. */
function interfaceEntries(answers: Answers, networks: string[], index: number): unknown[] {
  const address = hasSeed(answers) ? addressOf(answers, networks, index) : null
  return networks.map((network, place) => (place === 0 && address !== null ? { network, address } : network))
}

function ownBoot(answers: Answers): { kernel: string; initrd: string; cmdline: string } {
  const initrd = answerTo(answers, 'initrd')
  return {
    kernel: answerTo(answers, 'kernel'),
    initrd: initrd === 'none' ? '' : initrd,
    cmdline: answerTo(answers, 'cmdline'),
  }
}

function withoutEmpty<Boot extends { initrd: string }>(boot: Boot): Omit<Boot, 'initrd'> | Boot {
  const { initrd, ...rest } = boot
  return initrd === '' ? rest : boot
}

function addressedBoot(boot: BootSpec, answers: Answers, networks: string[], index: number) {
  const address = addressOf(answers, networks, index)
  const cmdline = address === null ? boot.cmdline : `${boot.cmdline} vhostkit.ip=${address}`
  return withoutEmpty({ ...boot, cmdline })
}

/** 10 above the host's on the first network of the machine, then one more each; null where none would fit. */
function addressOf(answers: Answers, [network = '']: string[], index: number): string | null {
  const host = parseCidr(answerTo(answers, `host.${network}`))
  if (host === null || host.family !== 4) return null
  const value = host.address + 10n + BigInt(index)
  if (value >= host.last) return null
  const parts = [24n, 16n, 8n, 0n].map((shift) => Number((value >> shift) & 255n))
  return `${parts.join('.')}/${host.prefix}`
}
