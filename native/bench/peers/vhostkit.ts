import { join } from 'node:path'
import { askSwitch, SwitchClient } from '../../../src/drivers/switch/client.js'
import { readSwitch } from '../../../src/drivers/switch/process.js'
import { switchCore } from '../pinned.js'
import { startService } from '../service.js'
import type { Peer, SessionSetting } from './peer.js'

/** Our own switch: one worker on the switch's core, ports in one network. */
export async function startVhostkit(
  setting: SessionSetting,
  tscMhz: number,
  {
    name = 'vhostkit',
    program = join(process.cwd(), 'native/build/vhostkit-switch'),
    idle = 'adaptive',
  } = {},
): Promise<Peer> {
  const control = join(setting.folder, `${name}.ctl`)
  const state = ['--state', join(setting.folder, `${name}.state`)]
  const service = await startService({
    name,
    argv: [
      'setpriv',
      '--pdeathsig',
      'KILL',
      program,
      '--control',
      control,
      ...state,
      '--cores',
      `${switchCore}`,
      '--idle',
      idle,
    ],
    log: join(setting.folder, `${name}.log`),
    limitMs: 3_000,
    ready: async () => (await readSwitch(control)) !== null,
    belongings: setting.belongings,
    signal: setting.signal,
  })
  const sockets = Array.from({ length: setting.ports }, (_, port) => join(setting.folder, `${name}-${port}`))
  for (const [port, socket] of sockets.entries()) {
    await askSwitch(control, 'port.add', {
      name: `port${port}`,
      kind: 'vhost-user',
      network: 'bench',
      socket,
      role: 'server',
      mtu: 9216,
      mac_limit: Math.min(65536, Math.max(1024, setting.addresses + 16)),
    })
  }
  const client = await SwitchClient.connect(control)
  setting.belongings.add(`${name}'s control connection`, async () => client.close())
  let before = await readWork(client)
  return {
    name,
    version: `vhostkit-switch ${(await readSwitch(control))?.version ?? '?'}, ${idle}`,
    sockets,
    connects: false,
    cyclesSource:
      'vhostkit: worker.list busy_ms (rounds that moved frames) x TSC frequency / frames of stats.get',
    begin: async () => {
      before = await readWork(client)
    },
    end: async () => {
      const after = await readWork(client)
      const frames = after.frames - before.frames
      return { cyclesPerFrame: ((after.busyMs - before.busyMs) * tscMhz * 1000) / frames }
    },
    suspend: service.suspend,
    resume: service.resume,
  }
}

async function readWork(client: SwitchClient): Promise<{ busyMs: number; frames: number }> {
  const { workers } = await client.call('worker.list')
  const { ports } = await client.call('stats.get')
  return {
    busyMs: workers.reduce((sum, worker) => sum + worker.busy_ms, 0),
    // A frame for nobody, as a port alone sends them, was taken and judged, but is no frame of rx.
    frames: ports.reduce((sum, port) => sum + port.rx.frames + (port.drops.no_destination ?? 0), 0),
  }
}
