import { attributeOf, elementsOf, find, type XmlElement } from '../xml/xml.js'
import { examineInterface } from './examine-interface.js'
import { type Finding, fine, note, problem } from './finding.js'
import type { PathStep, PathUser } from './reach-path.js'

/** What a port of the switch is, as far as a domain is concerned. */
export interface PortView {
  name: string
  network: string
  socket: string | null
  mtu: number
  state: string
  connects: number
  last_error: string | null
}

/** All that is needed to examine a domain, gathered before. */
export interface DomainFacts {
  name: string
  uuid: string
  running: boolean
  domain: XmlElement
  /** Who runs its QEMU; null when that cannot be told. */
  user: PathUser | null
  /** Who runs the switch; null when it does not run, or may do everything. */
  switchUser: PathUser | null
  /** Where sockets of ours are: `RUN/machines/`. */
  machines: string
  /** For each socket path: the folders on its way, from the root. */
  ways: Record<string, PathStep[]>
  /** For each socket path: its own rights; null while nobody made it. */
  sockets: Record<string, PathStep['owner']>
  /** null: the switch does not answer. */
  ports: PortView[] | null
  /** MACs of the cards of all other domains. */
  others: { mac: string; domain: string }[]
  /** Whether libvirtd calls our hook; null when nothing can be said. */
  hookSeen: boolean | null
}

/** What is wrong with a domain and each of its vhost-user cards. */
export function examineDomain(facts: DomainFacts): Finding[] {
  const nics = elementsOf(find(facts.domain, 'devices') ?? facts.domain, 'interface')
  const cards = nics
    .map((nic, index) => ({ nic, index }))
    .filter(({ nic }) => attributeOf(nic, 'type') === 'vhostuser')
  if (cards.length === 0) {
    return [
      note(
        'no-vhost-user',
        `domain ${facts.name}`,
        'has no vhost-user card',
        'Its frames do not pass the switch, so nothing here is fast.',
        `\`vhostkit accelerate ${facts.name}\``,
      ),
    ]
  }
  return [
    ...examineMemory(facts),
    examineHook(facts),
    ...cards.flatMap(({ nic, index }) => examineInterface(facts, nics, nic, index)),
  ]
}

/** A cell that says nothing inherits private, silently, whatever <access> says elsewhere. */
function examineMemory({ domain, name, uuid }: DomainFacts): Finding[] {
  const repair = { do: 'edit-domain', uuid, name, edit: { share: true } } as const
  const why = 'The switch cannot see the guest: the card is there, and nothing ever arrives.'
  const fix = `\`vhostkit doctor ${name} --fix\`, then start it anew`
  const cells = elementsOf(find(domain, 'cpu', 'numa') ?? domain, 'cell')
  const closed = cells.filter((cell) => attributeOf(cell, 'memAccess') !== 'shared')
  const access = attributeOf(find(domain, 'memoryBacking', 'access'), 'mode')
  if (closed.length > 0) {
    return closed.map((cell) => {
      const found = attributeOf(cell, 'memAccess') ?? 'not given, which is private'
      const subject = `domain ${name}, cell ${attributeOf(cell, 'id') ?? '0'}`
      return problem('cell-private', subject, `memAccess is ${found}`, why, fix, repair)
    })
  }
  if (access !== 'shared' && cells.length === 0) {
    const what = `<memoryBacking> has access ${access ?? 'not given, which is private'}`
    return [problem('memory-private', `domain ${name}`, what, why, fix, repair)]
  }
  return [fine(`domain ${name}`, 'its memory is shared')]
}

function examineHook({ name, hookSeen, domain, machines }: DomainFacts): Finding {
  const subject = `domain ${name}`
  const ours = elementsOf(find(domain, 'devices') ?? domain, 'interface').some((nic) =>
    attributeOf(find(nic, 'source'), 'path')?.startsWith(machines),
  )
  if (hookSeen !== false || !ours) return fine(subject, 'the hook prepares its start')
  return problem(
    'hook-unseen',
    subject,
    'libvirtd does not call our hook',
    'Nobody registers its ports before QEMU waits for them, so its start never ends.',
    '`vhostkit hooks install`, then `systemctl restart libvirtd` (machines go on running)',
  )
}
