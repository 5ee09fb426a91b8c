import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { showEvent } from '../../../src/cli/seeing/show-event.js'
import { followEvents } from '../../../src/drivers/switch/follow-events.js'
import { type LineServer, serveLines } from '../../drivers/line-server.js'

const time = '2026-11-24T16:20:01.123Z'

describe('events: lines', () => {
  it('say when, what, which port and the rest', () => {
    const port = 'pair.vm1.0'
    assert.equal(
      showEvent({ time, seq: 3, time_ms: 5, type: 'port.up', port }),
      '16:20:01.123  port.up            pair.vm1.0',
    )
    assert.equal(
      showEvent({ time, seq: 4, time_ms: 6, type: 'queue.broken', port, queue: 1, why: 'loop' }),
      '16:20:01.123  queue.broken       pair.vm1.0  queue 1: loop',
    )
    assert.equal(
      showEvent({ time, seq: 4, time_ms: 6, type: 'memory.node', port, node: 1, worker_node: 0 }),
      '16:20:01.123  memory.node        pair.vm1.0  node 1, worker node 0',
    )
    assert.equal(
      showEvent({ time, type: 'switch.away', why: 'the connection was closed' }),
      '16:20:01.123  switch.away        the connection was closed; waiting for it',
    )
    assert.equal(
      showEvent({ time, type: 'switch.back', pid: 9, starts: 2 }),
      '16:20:01.123  switch.back        pid 9, start 2; what happened meanwhile is not known',
    )
  })
})

describe('events: following', () => {
  it('goes on after the switch came back, and says so', async () => {
    let server: LineServer = await serveSwitch(1)
    const path = server.path
    const heard: string[] = []
    const stop = new AbortController()
    const following = followEvents(
      path,
      {
        event: ({ type, port }) => void heard.push(`${type} ${port}`),
        away: () => void heard.push('away'),
        back: ({ starts }) => void heard.push(`back ${starts}`),
      },
      stop.signal,
    )
    await until(() => heard.length === 1)
    await server.close()
    await until(() => heard.includes('away'))
    server = await serveSwitch(2, path)
    await until(() => heard.includes('port.up start2'))
    stop.abort()
    await following
    await server.close()
    assert.deepEqual(
      heard.filter((line) => line.startsWith('port')),
      ['port.up start1', 'port.up start2'],
    )
    assert.ok(heard.indexOf('away') < heard.indexOf('back 2'))
  })

  it('refuses to wait for a switch that never was', async () => {
    const follower = { event: () => undefined, away: () => undefined, back: () => undefined }
    await assert.rejects(followEvents('/nowhere/switch.sock', follower, new AbortController().signal), {
      code: 'switch-unreachable',
    })
  })
})

/** A switch with one event for whoever subscribes. */
function serveSwitch(starts: number, path?: string): Promise<LineServer> {
  return serveLines(
    ({ id, method }, send) => {
      send({ jsonrpc: '2.0', id, result: method === 'switch.info' ? { pid: starts, starts } : {} })
      const params = { seq: 1, time_ms: 1, type: 'port.up', port: `start${starts}` }
      if (method === 'events.subscribe') send({ jsonrpc: '2.0', method: 'event', params })
    },
    undefined,
    path,
  )
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    assert.ok(waited < 8_000, 'the follower did not hear it within 8 s')
    await sleep(10)
  }
}
