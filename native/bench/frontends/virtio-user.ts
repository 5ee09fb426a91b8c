import { pause } from '../../../src/world/wait-for.js'
import { Conversation } from '../conversation.js'
import { type Peer, PeerMissing, type SessionSetting } from '../peers/peer.js'
import { generatorCore, pinned } from '../pinned.js'
import { findProgram } from '../programs.js'
import { parseReceiveRate, testpmdPrompt } from '../testpmd-output.js'
import type { Frontend } from './frontend.js'

/** Bursts of 32 frames that each guest puts into circulation. */
const bursts = 16

/** DPDK's virtio-user: testpmd plays both guests and sends on what it receives, for ever. */
export async function attachVirtioUser(peer: Peer, setting: SessionSetting): Promise<Frontend> {
  const program = await findProgram('dpdk-testpmd')
  if (program === null) throw new PeerMissing('dpdk-testpmd is not installed: apt-get install dpdk')
  if (!setting.hugepages) throw new PeerMissing('there are no hugepages for it: set vm.nr_hugepages')
  const ports = peer.sockets.slice(0, 2).flatMap((path, index) => {
    const mac = `02:00:00:00:00:0${index + 1}`
    return ['--vdev', `net_virtio_user${index},path=${path},queues=1,queue_size=1024,mac=${mac}`]
  })
  const lcores = `0@${generatorCore},1@${generatorCore}`
  const eal = ['--lcores', lcores, '--in-memory', '--no-pci', '--no-telemetry', '--single-file-segments']
  const forward = [
    '-i',
    '--forward-mode=mac',
    '--txd=1024',
    '--rxd=1024',
    '--nb-cores=1',
    '--total-num-mbufs=16384',
  ]
  const peers = ['--eth-peer=0,02:00:00:00:00:02', '--eth-peer=1,02:00:00:00:00:01']
  const own = [`--file-prefix=vkb-guest-${peer.name}`, ...ports, '--', ...forward, ...peers]
  const argv = pinned(generatorCore, [
    'env',
    `RUNTIME_DIRECTORY=${setting.folder}`,
    'stdbuf',
    '-oL',
    program,
    ...eal,
    ...own,
  ])
  const talk = await Conversation.start(`testpmd (guests of ${peer.name})`, argv, setting.signal)
  setting.belongings.add(`the virtio-user guests of ${peer.name}`, () => talk.end())
  await talk.hear(testpmdPrompt, 20_000)
  const ask = async (line: string) => {
    talk.say(line)
    return talk.hear(testpmdPrompt, 5_000)
  }
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
    detach: async () => {
      talk.say('quit')
      await talk.end()
    },
  }
}
