import { row } from './error-row.js'

/** Rows of the table in errors.ts about what the host does for a network: DHCP, names, the way out. */
export const networkErrors = {
  'host-missing': row(
    3,
    'DHCP and NAT need the host on the network.',
    'Add host: with an IPv4 address, such as 192.168.77.1/24, to the network.',
  ),
  'dhcp-range': row(
    3,
    "The addresses for DHCP do not fit into the host's subnet.",
    'Leave range out and it is planned, or name addresses of the subnet.',
  ),
  'dnsmasq-missing': row(4, 'dnsmasq is not installed.', 'Run bin/setup, or install dnsmasq-base.'),
  'nft-missing': row(4, 'nft is not installed.', 'Run bin/setup, or install nftables.'),
  'dhcp-failed': row(
    1,
    'dnsmasq did not start.',
    'See what it said; another program may hold the address on port 53 or 67.',
  ),
  'nat-failed': row(
    1,
    'The rules of nftables could not be set.',
    'See what nft said; the kernel needs nf_tables with nat and masquerade.',
  ),
  'host-key-changed': row(
    255,
    'The machine has another host key than it had.',
    'If it was made anew, have its old key forgotten with ssh-keygen -R; if not, somebody else answers at its address.',
  ),
  'address-unknown': row(
    1,
    'No address of the machine is known.',
    'Give its network dhcp: true or the interface an address:, or let it send something to the host; `vhostkit console` shows what it does.',
  ),
}
