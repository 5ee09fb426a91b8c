/**
 * What each command is used for, by its words. `--help`, the man pages and the documents' test use it; a command
 * without an example fails the test.
 */
export const examples: Record<string, readonly string[]> = {
  plan: ['vhostkit plan pair.yaml', 'vhostkit plan pair.yaml --driver libvirt --json'],
  render: ['vhostkit render pair.yaml', 'vhostkit render pair.yaml --to out/'],
  diff: ['vhostkit diff pair.yaml || vhostkit apply pair.yaml'],
  apply: [
    'vhostkit apply pair.yaml --dry-run',
    'vhostkit apply pair.yaml',
    'vhostkit apply pair.yaml --json',
  ],
  status: ['vhostkit status', 'vhostkit status pair --json'],
  start: ['vhostkit start pair', 'vhostkit start pair vm1'],
  stop: ['vhostkit stop pair vm1 --grace 30'],
  destroy: ['vhostkit destroy pair --dry-run', 'vhostkit destroy pair'],
  doctor: ['vhostkit doctor', 'vhostkit doctor --json'],
  top: ['vhostkit top', 'vhostkit top --once --sort drops', 'vhostkit top --json --interval 10'],
  events: ['vhostkit events', 'vhostkit events --json --for 60'],
  'switch start': ['vhostkit switch start'],
  'switch stop': ['vhostkit switch stop'],
  'switch restart': ['vhostkit switch restart'],
  'switch status': ['vhostkit switch status'],
  'switch ports': ['vhostkit switch ports', 'vhostkit switch ports --json'],
  'switch stats': ['vhostkit switch stats'],
  'switch macs': ['vhostkit switch macs'],
  'switch workers': ['vhostkit switch workers'],
  'switch events': ['vhostkit switch events --for 60'],
  'switch metrics': ['vhostkit switch metrics', 'vhostkit switch metrics --listen 127.0.0.1:9720'],
  accelerate: ['vhostkit accelerate web1 --dry-run', 'vhostkit accelerate web1 --network lan'],
  restore: ['vhostkit restore web1'],
  'hooks install': ['vhostkit hooks install'],
  'hooks status': ['vhostkit hooks status'],
  'hooks uninstall': ['vhostkit hooks uninstall'],
  demo: ['vhostkit demo', 'vhostkit demo --kills 50'],
  explain: ['vhostkit explain', 'vhostkit explain hugepages-short'],
}
