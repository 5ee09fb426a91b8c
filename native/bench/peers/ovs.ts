import { join } from 'node:path'
import { VhostkitError } from '../../../src/core/errors.js'
import { exists, makeFolder } from '../../../src/world/files.js'
import { runProgram } from '../../../src/world/run-program.js'
import { parsePmdStats } from '../ovs-output.js'
import { generatorCore, pinned, switchCore } from '../pinned.js'
import { findProgram } from '../programs.js'
import { startService } from '../service.js'
import { type Peer, PeerMissing, type SessionSetting } from './peer.js'

const daemon = '/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk'
const schema = '/usr/share/openvswitch/vswitch.ovsschema'

/**
 * Hugepages of 2 MB that it takes. It asks for buffers for 262 144 frames and is content with half when they do
 * not fit, so without a limit it takes what others were to have.
 */
export const ovsPages = 384

/** Open vSwitch with DPDK, one bridge with the NORMAL action, in folders and a network namespace of the session's own. */
export async function startOvs(setting: SessionSetting): Promise<Peer> {
  if (!(await exists(daemon))) {
    throw new PeerMissing('Open vSwitch with DPDK is not installed: apt-get install openvswitch-switch-dpdk')
  }
  if (!setting.hugepages) throw new PeerMissing('there are no hugepages for it: set vm.nr_hugepages')
  if (setting.ports === 1)
    throw new PeerMissing('its bridge has a port of its own, so one port is never alone')
  const ovs = await startDaemons(setting)
  const masks = [`dpdk-lcore-mask=${1 << generatorCore}`, `pmd-cpu-mask=${1 << switchCore}`]
  const extra = 'dpdk-extra=--no-pci --in-memory --file-prefix=vkb-ovs'
  const offload = setting.offload ? ['userspace-tso-enable=true'] : []
  // For jumbo frames it makes a second pool beside the first, which has taken nearly all: then pools of what its ports need.
  const pools = setting.largest > 1518 && !setting.offload ? ['per-port-memory=true'] : []
  const memory = ['dpdk-socket-mem=512', `dpdk-socket-limit=${ovsPages * 2}`, ...pools]
  const config = [...memory, 'dpdk-init=true', extra, ...masks, ...offload]
  await ovs.vsctl('--no-wait', 'set', 'Open_vSwitch', '.', ...config.map((pair) => otherConfig(pair)))
  await ovs.startSwitch()
  const mac = [`other-config:mac-table-size=${setting.addresses * setting.ports + 2048}`]
  await ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev', ...mac)
  await ovs.addPorts(
    Array.from({ length: setting.ports }, (_, port) => `vkb${port}`),
    setting,
  )
  return {
    name: 'ovs',
    version: await readVersion(),
    sockets: Array.from({ length: setting.ports }, (_, port) => join(ovs.folder, `vkb${port}`)),
    connects: setting.offload,
    cyclesSource: 'ovs: dpif-netdev/pmd-stats-show, processing cycles / packets received',
    begin: async () => void (await ovs.appctl('dpif-netdev/pmd-stats-clear')),
    end: async () => {
      const { processingCycles, packets } = parsePmdStats(await ovs.appctl('dpif-netdev/pmd-stats-show'))
      return { cyclesPerFrame: processingCycles / packets }
    },
    suspend: () => ovs.suspend(),
    resume: () => ovs.resume(),
  }
}

async function startDaemons(setting: SessionSetting) {
  const folder = join(setting.folder, 'ovs')
  const { belongings, signal } = setting
  await makeFolder(folder, 0o700)
  const names = ['OVS_RUNDIR', 'OVS_LOGDIR', 'OVS_DBDIR', 'OVS_SYSCONFDIR']
  // The last is DPDK's, which else leaves a folder in /var/run.
  const env = Object.fromEntries([...names, 'RUNTIME_DIRECTORY'].map((name) => [name, folder]))
  const withEnv = ['env', ...Object.entries(env).map(([name, value]) => `${name}=${value}`)]
  const [database, socket] = [join(folder, 'conf.db'), join(folder, 'db.sock')]
  const run = async (program: string, args: string[]) => {
    const result = await runProgram((await findProgram(program)) ?? program, args, {
      env,
      timeoutMs: 20_000,
      signal,
    })
    signal.throwIfAborted()
    if (!result.ok) throw new VhostkitError('program-failed', { sentence: `${result.failure}.` })
    return result.stdout
  }
  await run('ovsdb-tool', ['create', database, schema])
  const server = (await findProgram('ovsdb-server')) ?? 'ovsdb-server'
  await startService({
    name: 'ovsdb-server',
    argv: [...withEnv, ...pinned(generatorCore, [server, database, `--remote=punix:${socket}`])],
    log: join(folder, 'ovsdb-server.log'),
    limitMs: 5_000,
    ready: () => exists(socket),
    belongings,
    signal,
  })
  const target = join(folder, 'vswitchd.ctl')
  let service = { suspend: () => {}, resume: () => {} }
  const vsctl = (...args: string[]) => run('ovs-vsctl', [`--db=unix:${socket}`, '--timeout=15', ...args])
  return {
    folder,
    vsctl,
    appctl: (command: string) => run('ovs-appctl', ['-t', target, command]),
    startSwitch: async () => {
      const options = [`unix:${socket}`, `--unixctl=${target}`, '--no-chdir']
      service = await startService({
        name: 'ovs-vswitchd',
        // Its bridge is a tap that stays when it is killed, and the host may have one of that name.
        argv: [...withEnv, 'unshare', '--net', 'setpriv', '--pdeathsig', 'KILL', daemon, ...options],
        log: join(folder, 'ovs-vswitchd.log'),
        limitMs: 20_000,
        ready: async () => (await vsctl('get', 'Open_vSwitch', '.', 'dpdk_initialized')).trim() === 'true',
        belongings,
        signal,
      })
    },
    /** As a server it never offers TSO: with offloads it connects to the guests' sockets. */
    addPorts: async (ports: readonly string[], { largest, offload }: SessionSetting) => {
      const mtu = largest > 1518 && !offload ? [`mtu_request=${largest}`] : []
      const words = ports.flatMap((name) => {
        const path = `options:vhost-server-path=${join(folder, name)}`
        const kind = offload ? ['type=dpdkvhostuserclient', path] : ['type=dpdkvhostuser']
        return ['--', 'add-port', 'br0', name, '--', 'set', 'Interface', name, ...kind, ...mtu]
      })
      await vsctl(...words.slice(1))
    },
    suspend: () => service.suspend(),
    resume: () => service.resume(),
  }
}

/** In OVSDB's way: a value with blanks stands in quotes. */
function otherConfig(pair: string): string {
  const at = pair.indexOf('=')
  return `other_config:${pair.slice(0, at)}="${pair.slice(at + 1)}"`
}

async function readVersion(): Promise<string> {
  const { stdout } = await runProgram(daemon, ['--version'])
  return stdout.trim().split('\n').join(', ')
}
