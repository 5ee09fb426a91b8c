import assert from 'node:assert/strict'
import { askIfAny, askSwitch, SwitchClient } from '../../src/drivers/switch/client.js'
import type { SwitchEvent } from '../../src/drivers/switch/protocol.js'
import { type LineServer, serveLines } from './line-server.js'

describe('switch client', () => {
  let server: LineServer | undefined
  afterEach(async () => {
    await server?.close()
    server = undefined
  })

  it('asks and gets the answer, also one that comes in pieces', async () => {
    server = await serveLines(({ id, method, params }, send) => {
      const text = `${JSON.stringify({ jsonrpc: '2.0', id, result: { macs: [], method, params } })}\n`
      send(text.slice(0, 9))
      setTimeout(() => send(text.slice(9)), 5)
    })
    const answer = await askSwitch(server.path, 'mac.list', { network: 'lan' })
    assert.deepEqual(answer, { macs: [], method: 'mac.list', params: { network: 'lan' } })
  })

  it('turns a refusal into an error with what was wanted, found, and to be done', async () => {
    const data = { reason: 'port-exists', wanted: 'a new name', found: 'p', hint: 'Rename it.' }
    server = await serveLines(({ id }, send) =>
      send({ id, error: { code: 1, message: 'the port is there', data } }),
    )
    await assert.rejects(askSwitch(server.path, 'port.add', {}), {
      code: 'port-exists',
      message: 'The switch refused port.add: the port is there. Wanted a new name, found p.',
      hint: 'Rename it.',
    })
  })

  it('keeps answers and events apart', async () => {
    server = await serveLines(({ id }, send) => {
      send({ jsonrpc: '2.0', method: 'event', params: { seq: 1, time_ms: 5, type: 'port.up', port: 'p' } })
      send({ id, result: {} })
    })
    const client = await SwitchClient.connect(server.path)
    const events: SwitchEvent[] = []
    await client.subscribe(
      (event) => events.push(event),
      () => undefined,
    )
    assert.deepEqual(events, [{ seq: 1, time_ms: 5, type: 'port.up', port: 'p' }])
    client.close()
  })

  it('does not wait for ever for a silent switch', async () => {
    server = await serveLines(() => undefined)
    await assert.rejects(askSwitch(server.path, 'switch.info', {}, 30), { code: 'timeout' })
  })

  it('is there for whoever asks whether there is one, however slow: only where nobody listens there is none', async () => {
    assert.equal(await askIfAny('/nowhere/socket', 'switch.info'), null)
    const calls: number[] = []
    server = await serveLines(({ id }, send, socket) => {
      calls.push(0)
      if (calls.length === 1) socket.destroy()
      else if (calls.length === 2) setTimeout(() => send({ id, result: { pid: 7 } }), 1_200)
    })
    assert.deepEqual(await askIfAny(server.path, 'switch.info'), { pid: 7 }, 'broke off once, then slow')
    await assert.rejects(askIfAny(server.path, 'switch.info', {}, 30), { code: 'timeout' })
  })

  it('answers at once when the switch has gone between two calls', async () => {
    server = await serveLines(({ id }, send, socket) => {
      send({ id, result: {} })
      socket.end()
    })
    const client = await SwitchClient.connect(server.path)
    const closed = new Promise<void>((resolve) => void client.subscribe(() => undefined, resolve))
    await closed
    await assert.rejects(client.call('port.list', {}, 60_000), { code: 'switch-unreachable' })
  })

  it('says so when nobody listens, or the switch goes away in the middle', async () => {
    await assert.rejects(askSwitch('/nowhere/socket', 'switch.info'), { code: 'switch-unreachable' })
    server = await serveLines((_message, _send, socket) => socket.destroy())
    await assert.rejects(askSwitch(server.path, 'switch.info'), { code: 'switch-unreachable' })
  })
})
