import { join } from 'node:path'
import { sendSignal } from '../../../src/world/processes.js'
import { switchCore } from '../pinned.js'
import { openTestpmd } from '../testpmd.js'
import { parseForwardCycles } from '../testpmd-output.js'
import { type Peer, PeerMissing, type SessionSetting } from './peer.js'

/** Debian's DPDK is built for so many ports. */
const portsMost = 32
const buffersPerPort = 16384

/** Hugepages of 2 MB that it takes. */
export function testpmdPages(ports: number): number {
  return 128 + Math.ceil((Math.max(0, ports - 2) * buffersPerPort * 2.5) / 2048)
}

/** DPDK's testpmd, which moves frames between two vhost ports without looking at them. */
export async function startTestpmd(setting: SessionSetting): Promise<Peer> {
  if (setting.ports > portsMost)
    throw new PeerMissing(`DPDK as Debian builds it has at most ${portsMost} ports`)
  if (setting.ports === 1) throw new PeerMissing('with one port it sends frames back to where they came from')
  const sockets = Array.from({ length: setting.ports }, (_, port) => join(setting.folder, `testpmd-${port}`))
  const offload = setting.offload ? ',tso=1,legacy-ol-flags=1' : ''
  const ports = sockets.flatMap((socket, port) => ['--vdev', `net_vhost${port},iface=${socket}${offload}`])
  const buffers = `--total-num-mbufs=${buffersPerPort * Math.max(2, setting.ports)}`
  const eal = ['--file-prefix=vkb-switch', ...ports]
  const own = ['--forward-mode=io', buffers]
  const { pid, ask } = await openTestpmd('testpmd (switch)', switchCore, eal, own, setting)
  await ask('set record-core-cycles on')
  await ask('start')
  return {
    name: 'testpmd',
    version: 'DPDK testpmd, io mode',
    sockets,
    connects: false,
    cyclesSource: 'testpmd: show fwd stats all, record-core-cycles on (rounds that received frames)',
    begin: async () => void (await ask('clear fwd stats all')),
    end: async () => ({ cyclesPerFrame: parseForwardCycles(await ask('show fwd stats all')) ?? Number.NaN }),
    suspend: () => void sendSignal(pid, 'SIGSTOP'),
    resume: () => void sendSignal(pid, 'SIGCONT'),
  }
}
