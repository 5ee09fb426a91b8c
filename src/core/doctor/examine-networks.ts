import { type Finding, fine, note, problem } from './finding.js'
import type { Dropper } from './forward-droppers.js'

/** What was found of one network that the host does something for. */
export interface NetworkSight {
  deployment: string
  network: string
  ifname: string
  /** Pid of its dnsmasq, 0 = dead; null: it is to have none. */
  dhcp: number | null
  /** null: it is to have none. */
  nat: { table: string; state: 'set' | 'missing' | 'changed'; forwarding: boolean } | null
  /** Forward chains of others that drop what they do not accept, and say nothing of the tap. */
  droppers: Dropper[]
}

export function examineNetworks(sights: NetworkSight[]): Finding[] {
  return sights.flatMap((sight) => [...examineDhcp(sight), ...examineNat(sight)])
}

function examineDhcp({ deployment, network, dhcp }: NetworkSight): Finding[] {
  const subject = `dhcp of ${deployment}/${network}`
  if (dhcp === null) return []
  if (dhcp > 0) return [fine(subject, `dnsmasq runs, pid ${dhcp}`)]
  return [
    problem(
      'dhcp-dead',
      subject,
      'its dnsmasq is dead',
      'Machines get no address when they boot, and lose the one they have when its lease ends.',
      `Apply the spec of ${deployment} again.`,
    ),
  ]
}

function examineNat({ deployment, network, ifname, nat, droppers }: NetworkSight): Finding[] {
  if (nat === null) return []
  const subject = `nat of ${deployment}/${network}`
  const again = `Apply the spec of ${deployment} again.`
  const why = 'Its machines do not reach beyond the host.'
  const findings = [
    ...(nat.state === 'missing'
      ? [problem('nat-table-missing', subject, `there is no nftables table ip ${nat.table}`, why, again)]
      : []),
    ...(nat.state === 'changed'
      ? [
          problem(
            'nat-table-changed',
            subject,
            `the nftables table ip ${nat.table} is not as it was set`,
            'Its machines may reach more or less than they should.',
            again,
          ),
        ]
      : []),
    ...(nat.forwarding ? [] : [problem('forwarding-off', subject, 'net.ipv4.ip_forward is 0', why, again)]),
    ...droppers.map((dropper) => examineDropper(subject, ifname, dropper)),
  ]
  return findings.length > 0 ? findings : [fine(subject, `nftables table ip ${nat.table}`)]
}

function examineDropper(
  subject: string,
  ifname: string,
  { by, family, table, chain, ownRules }: Dropper,
): Finding {
  const accept = (program: string, into: string) =>
    ['-i', '-o'].map((way) => `${program} -I ${into} ${way} ${ifname} -j ACCEPT`).join('; ')
  return note(
    'forward-dropped',
    subject,
    `chain ${family} ${table} ${chain} of ${by} drops what no rule of it accepts, and none names ${ifname}`,
    'What its machines send beyond the host probably ends there.',
    by === 'nftables'
      ? `Accept ${ifname} in it; with Docker: ${accept('iptables', 'DOCKER-USER')}`
      : `Accept ${ifname} in it: ${accept(`iptables-legacy${table === 'filter' ? '' : ` -t ${table}`}`, ownRules)}`,
  )
}
