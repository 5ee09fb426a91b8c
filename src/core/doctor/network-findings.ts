import type { FindingText } from './finding-table.js'

/** Findings about what the host does for networks: DHCP, NAT, forwarding. */
export const networkFindings = {
  'dhcp-dead': {
    cause: 'The dnsmasq of a network was killed, or the host was started anew since the last apply.',
    look: '`vhostkit status`; the log of the system.',
    mend: 'Apply the spec again: that starts it, and nothing else.',
  },
  'nat-table-missing': {
    cause:
      'The nftables table of a network is gone: somebody flushed all rules (such as a firewall that was reloaded), or the host was started anew.',
    look: '`nft list tables`.',
    mend: 'Apply the spec again.',
  },
  'nat-table-changed': {
    cause: 'Rules were added to the nftables table of a network, or taken from it.',
    look: '`nft list table ip NAME` with the name shown.',
    mend: 'Apply the spec again: the table is replaced by its own rules. Keep yours in a table of yours.',
  },
  'forwarding-off': {
    cause: 'Somebody has turned net.ipv4.ip_forward off since the apply.',
    look: '`sysctl net.ipv4.ip_forward`, and files below /etc/sysctl.d.',
    mend: 'Apply the spec again, and see that nothing turns it off.',
  },
  'forward-dropped': {
    cause:
      'A forward chain of others drops what it does not accept, as that of Docker does; the accept of another table does not help then.',
    look: '`nft list chains`, `iptables-legacy-save`, and the chain shown.',
    mend: 'Accept the tap in that chain, by the commands shown; with Docker in its chain DOCKER-USER.',
  },
} satisfies Record<string, FindingText>
