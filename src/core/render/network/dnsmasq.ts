import type { DhcpHostPlan, DhcpPlan, NetworkPlan, Plan } from '../../plan/plan.js'
import type { DhcpArtifact } from '../artifacts.js'

/** The dnsmasq of a network, if it has one. */
export function renderDhcp(plan: Pick<Plan, 'deployment'>, { name, tap, dhcp }: NetworkPlan): DhcpArtifact[] {
  if (dhcp === undefined || tap === null) return []
  const { program, folder } = dhcp
  const files = {
    configFile: `${folder}/dnsmasq.conf`,
    leaseFile: `${folder}/leases`,
    pidFile: `${folder}/dnsmasq.pid`,
    log: `${folder}/dnsmasq.log`,
  }
  const argv = [
    program,
    '--keep-in-foreground',
    `--conf-file=${files.configFile}`,
    `--dhcp-leasefile=${files.leaseFile}`,
    `--pid-file=${files.pidFile}`,
  ]
  const config = renderConfig(`network ${name} of ${plan.deployment}`, tap.ifname, dhcp)
  return [{ network: name, ifname: tap.ifname, folder, argv, config, ...files }]
}

/**
 * dnsmasq.conf: everything that people can choose in it is an address, a MAC, or a name of letters, digits and "-".
 * It serves the tap and nothing else, and takes no name from a guest: a guest could take another's.
 */
function renderConfig(what: string, ifname: string, dhcp: DhcpPlan): string {
  const { user, group, address, netmask, first, last, leaseSeconds, router, dns, domain, hosts } = dhcp
  const lines = [
    `# Written by vhostkit for ${what}; the next apply writes it again.`,
    `interface=${ifname}`,
    'except-interface=lo',
    'bind-dynamic',
    `user=${user}`,
    `group=${group}`,
    ...renderDns(dns, domain),
    `dhcp-range=${first},${last},${netmask},${leaseSeconds ?? 'infinite'}`,
    'dhcp-authoritative',
    'dhcp-no-override',
    'dhcp-ignore-names',
    'quiet-dhcp',
    // An option without a value is not sent; left out, dnsmasq sends its own address.
    `dhcp-option=option:router${router ? `,${address}` : ''}`,
    `dhcp-option=option:dns-server${dns === null ? '' : `,${address}`}`,
    ...hosts.map(({ mac, name, address: own }) =>
      ['dhcp-host=', [mac, own, name].filter((part) => part !== null).join(',')].join(''),
    ),
    ...(dns === null ? [] : hosts.flatMap((host) => renderRecord(host, domain))),
  ]
  return `${lines.join('\n')}\n`
}

/** Plain names and those of the domain are answered here or not at all, and addresses of private subnets too. */
function renderDns(dns: DhcpPlan['dns'], domain: string): string[] {
  if (dns === null) return ['port=0']
  const upstream = dns === 'host' ? [] : ['no-resolv', ...dns.map((server) => `server=${server}`)]
  return [
    'no-hosts',
    'domain-needed',
    'bogus-priv',
    'expand-hosts',
    `domain=${domain}`,
    `local=/${domain}/`,
    ...upstream,
  ]
}

/** A fixed address has its name also when the machine never asks for it. */
function renderRecord({ name, address }: DhcpHostPlan, domain: string): string[] {
  return name === null || address === null ? [] : [`host-record=${name},${name}.${domain},${address}`]
}
