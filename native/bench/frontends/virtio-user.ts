import { pause } from '../../../src/world/wait-for.js'
import type { Peer, SessionSetting } from '../peers/peer.js'
import { generatorCore } from '../pinned.js'
import { openTestpmd } from '../testpmd.js'
import { parseReceiveRate } from '../testpmd-output.js'
import type { Frontend } from './frontend.js'

/** Bursts of 32 frames that each guest puts into circulation. */
const bursts = 16

/** DPDK's virtio-user: testpmd plays both guests and sends on what it receives, for ever. */
export async function attachVirtioUser(peer: Peer, setting: SessionSetting): Promise<Frontend> {
  const ports = peer.sockets.slice(0, 2).flatMap((path, index) => {
    const mac = `02:00:00:00:00:0${index + 1}`
    return ['--vdev', `net_virtio_user${index},path=${path},queues=1,queue_size=1024,mac=${mac}`]
  })
  const eal = ['--single-file-segments', `--file-prefix=vkb-guest-${peer.name}`, ...ports]
  const peers = ['--eth-peer=0,02:00:00:00:00:02', '--eth-peer=1,02:00:00:00:00:01']
  const own = ['--forward-mode=mac', '--total-num-mbufs=16384', ...peers]
  const { ask, quit } = await openTestpmd(
    `testpmd (guests of ${peer.name})`,
    generatorCore,
    eal,
    own,
    setting,
  )
  return {
    name: 'virtio-user',
    load: async ({ size, warmMs, windowMs }, warm) => {
      await ask('set fwd mac')
      await ask(`set txpkts ${size}`)
      await ask(`start tx_first ${bursts}`)
      await pause(warmMs, setting.signal)
      await warm()
      await ask('show port stats all')
      await pause(windowMs, setting.signal)
      const mpps = parseReceiveRate(await ask('show port stats all')) / 1e6
      await ask('stop')
      // Frames of this size are still on their way: they are taken out, so that the next size is alone.
      await ask('set fwd rxonly')
      await ask('start')
      await pause(30, setting.signal)
      await ask('stop')
      return { mpps, generatorCycles: null }
    },
    detach: quit,
  }
}
