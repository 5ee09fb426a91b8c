import assert from 'node:assert/strict'
import type { PortRequest } from '../../src/core/render/artifacts.js'
import { examineStray } from '../../src/drivers/switch/examine-ports.js'
import { addPort, deletePort, readPortsIfAny } from '../../src/drivers/switch/ports.js'
import { type LineServer, serveLines } from './line-server.js'

const port: PortRequest = {
  kind: 'vhost-user',
  name: 'pair.vm1.net0',
  network: 'lan',
  socket: '/run/a/net0.sock',
  role: 'client',
  queues: 1,
  mtu: 1500,
  mac_limit: 1024,
}

describe('switch ports', () => {
  let server: LineServer
  let asked: string[]
  afterEach(() => server.close())

  /** A switch that has `there` from its second answer on, and refuses what it has. */
  const serve = async (there: PortRequest, reason: string) => {
    asked = []
    server = await serveLines(({ id, method }, send) => {
      const again = asked.includes('port.list')
      asked.push(String(method))
      if (method === 'port.list') send({ id, result: { ports: again ? [there] : [] } })
      else send({ id, error: { code: 1, message: 'refused', data: { reason } } })
    })
  }

  it('that are there already, the same, count as added', async () => {
    await serve(port, 'port-exists')
    await addPort(server.path, port)
    assert.deepEqual(asked, ['port.list', 'port.add', 'port.list'])
  })

  it('that are there already, but others, do not', async () => {
    await serve({ ...port, network: 'other' }, 'port-exists')
    await assert.rejects(addPort(server.path, port), { code: 'port-exists' })
  })

  it('are compared with their mirror, whatever the order of its keys', async () => {
    await serve(
      { ...port, policy: { mirror: { limit: 1048576, snaplen: 64, file: 'a', direction: 'rx' } } },
      'port-exists',
    )
    await addPort(server.path, {
      ...port,
      policy: { mirror: { file: 'a', direction: 'rx', snaplen: 64, limit: 1048576 } },
    })
    await server.close()
    await serve({ ...port, policy: { mirror: { to: 'a', direction: 'rx' } } }, 'port-exists')
    await assert.rejects(
      addPort(server.path, { ...port, policy: { mirror: { to: 'a', direction: 'tx' } } }),
      {
        code: 'port-exists',
      },
    )
  })

  it('are compared with their policy, whatever the order of its keys', async () => {
    const macs = ['52:54:00:00:00:01']
    await serve({ ...port, policy: { macs, isolated: true } }, 'port-exists')
    await addPort(server.path, { ...port, policy: { isolated: true, macs } })
    await server.close()
    await serve({ ...port, policy: { macs } }, 'port-exists')
    await assert.rejects(addPort(server.path, port), { code: 'port-exists' })
    await server.close()
    await serve(
      { ...port, policy: { rate: { tx: { burst: 5, bytes: 1000 }, rx: { frames: 1 } } } },
      'port-exists',
    )
    await addPort(server.path, {
      ...port,
      policy: { rate: { rx: { frames: 1 }, tx: { bytes: 1000, burst: 5 } } },
    })
    await server.close()
    const vlan = { native: 1, trunk: [2, 3] }
    await serve({ ...port, policy: { vlan } }, 'port-exists')
    await addPort(server.path, { ...port, policy: { vlan: { trunk: [2, 3], native: 1 } } })
    await server.close()
    await serve({ ...port, policy: { vlan } }, 'port-exists')
    await assert.rejects(addPort(server.path, { ...port, policy: { vlan: { tag: 2 } } }), {
      code: 'port-exists',
    })
  })

  it('are deleted also when they are lost, and a missing one is no failure', async () => {
    await serve(port, 'port-unknown')
    await deletePort(server.path, 'pair.lan.host')
    assert.deepEqual(asked, ['port.del'])
    assert.equal(await deletePort('/nowhere/socket', 'pair.lan.host'), false)
  })

  it('are asked for again where the connection broke off, for the switch crashed just then', async () => {
    let calls = 0
    server = await serveLines(({ id }, send, socket) => {
      calls++
      if (calls < 3) socket.destroy()
      else send({ id, result: {} })
    })
    assert.equal(await deletePort(server.path, 'pair.lan.host'), true)
    assert.equal(calls, 3)
    calls = -1e9
    await assert.rejects(deletePort(server.path, 'pair.lan.host', 200), { code: 'switch-unreachable' })
  })

  it('of a switch that refuses are not taken for none', async () => {
    asked = []
    server = await serveLines(({ id }, send) => send({ id, error: { code: 1, message: 'refused' } }))
    await assert.rejects(readPortsIfAny(server.path), { code: 'switch-refused' })
    assert.equal(await readPortsIfAny('/nowhere/socket'), null)
  })

  it('that are lost or of no deployment are findings', async () => {
    await serve(port, '')
    const found = examineStray(['a.lan.host', 'b.lan.host'], ['b.lan.host'])
    assert.deepEqual(
      found.map(({ subject, level }) => `${level} ${subject}`),
      ['problem port a.lan.host', 'note port b.lan.host'],
    )
  })
})
