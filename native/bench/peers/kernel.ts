import { release } from 'node:os'
import { join } from 'node:path'
import { exists } from '../../../src/world/files.js'
import { Conversation } from '../conversation.js'
import { loadCommand } from '../frontends/frontend.js'
import { jsonLine } from '../frontends/ours.js'
import { pinned, switchCore } from '../pinned.js'
import { type Peer, PeerMissing, type SessionSetting } from './peer.js'

interface Said {
  refused?: string
  batched?: boolean
  mpps?: number
  cycles?: number
}

/**
 * Taps on a Linux bridge, in a namespace that ends with the program. One thread on the switch's core
 * does what vhost-net's threads do: it plays the guests, too, so there is no front end to attach.
 */
export async function startKernel(setting: SessionSetting): Promise<Peer> {
  if (!(await exists('/dev/net/tun'))) throw new PeerMissing('/dev/net/tun is not there: modprobe tun')
  if (setting.ports % 2 === 1) throw new PeerMissing('its taps are in pairs')
  const program = join(process.cwd(), 'native/build/bench/bench-kernel')
  const options = [
    '--largest',
    `${Math.max(1518, setting.largest)}`,
    ...(setting.offload ? ['--offload'] : []),
  ]
  const argv = pinned(switchCore, [program, ...options, `${setting.ports}`])
  const talk = await Conversation.start('bench-kernel', argv, setting.signal)
  setting.belongings.add('bench-kernel', () => talk.end())
  const hear = async (limitMs: number) => JSON.parse(await talk.hear(jsonLine, limitMs)) as Said
  const { refused, batched } = await hear(15_000)
  if (refused !== undefined) throw new PeerMissing(`${refused}; it wants root`)
  let cyclesPerFrame = Number.NaN
  return {
    name: 'kernel',
    version: `Linux ${release()}: taps on a bridge; ${await describeMethod(batched === true)}`,
    sockets: [],
    connects: false,
    cyclesSource: 'kernel: all cycles of the thread that moves the frames / frames read',
    guests: {
      name: 'tap',
      load: async (shape, warm) => {
        talk.say(loadCommand(shape))
        await hear(shape.warmMs + 5_000)
        await warm()
        const { mpps = Number.NaN, cycles = Number.NaN } = await hear(shape.windowMs + 5_000)
        cyclesPerFrame = cycles
        return { mpps, generatorCycles: null }
      },
      detach: () => talk.end(),
    },
    begin: async () => undefined,
    end: async () => ({ cyclesPerFrame }),
    // Between two loads it sleeps in read().
    suspend: () => undefined,
    resume: () => undefined,
  }
}

async function describeMethod(batched: boolean): Promise<string> {
  const calls = batched ? 'by io_uring, a burst with one call' : 'by one system call each (no io_uring here)'
  const vhost = (await exists('/dev/vhost-net'))
    ? 'not through /dev/vhost-net'
    : '/dev/vhost-net is not there'
  return `one thread writes and reads the frames ${calls}; ${vhost}`
}
