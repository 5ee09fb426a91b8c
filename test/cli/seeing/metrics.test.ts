import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { makeFamilies, showFamilies } from '../../../src/cli/seeing/metrics.js'
import { readListen } from '../../../src/cli/seeing/read-listen.js'
import { serveText, type TextServer } from '../../../src/world/serve-text.js'
import { parseMetrics } from './parse-metrics.js'
import { sampleOf } from './sample-of.js'

const sample = sampleOf(61_500, [
  { name: 'pair.vm1.0', rx: 10, tx: 20, drops: { mtu: 3 }, state: 'broken' },
  { name: 'pair.vm2.0', network: 'storage', node: -1 },
])

describe('metrics', () => {
  it('are the counters of the switch, in a format that a strict reader takes', () => {
    const families = parseMetrics(showFamilies(makeFamilies(sample)))
    const value = (name: string, labels: Record<string, string> = {}) =>
      families
        .get(name)
        ?.samples.find((one) => Object.entries(labels).every(([key, text]) => one.labels[key] === text))
        ?.value
    assert.equal(value('vhostkit_up'), 1)
    assert.equal(value('vhostkit_switch_uptime_seconds'), 61.5)
    const vm1 = { port: 'pair.vm1.0', network: 'lan' }
    assert.equal(value('vhostkit_port_rx_frames_total', vm1), 10)
    assert.equal(value('vhostkit_port_rx_bytes_total', vm1), 1000)
    assert.equal(value('vhostkit_port_tx_frames_total', vm1), 20)
    assert.equal(value('vhostkit_port_dropped_frames_total', { ...vm1, reason: 'mtu' }), 3)
    assert.equal(value('vhostkit_port_dropped_frames_total', { ...vm1, reason: 'runt' }), 0)
    assert.equal(value('vhostkit_port_kicks_total', vm1), 4)
    assert.equal(value('vhostkit_port_state', { ...vm1, state: 'broken' }), 1)
    assert.equal(value('vhostkit_port_state', { ...vm1, state: 'up' }), 0)
    assert.equal(value('vhostkit_port_memory_node', { port: 'pair.vm2.0', network: 'storage' }), -1)
    assert.equal(value('vhostkit_worker_busy_seconds_total', { worker: '0', core: '1', node: '0' }), 1.5)
    assert.equal(value('vhostkit_worker_load_ratio'), 0.25)
  })

  it('say that the switch is away', () => {
    const families = parseMetrics(showFamilies(makeFamilies(null)))
    assert.deepEqual([...families.keys()], ['vhostkit_up'])
    assert.equal(families.get('vhostkit_up')?.samples[0]?.value, 0)
  })

  it('escape what a name may hold', () => {
    const odd = 'a"b\\c\nd'
    const text = showFamilies([
      {
        name: 'vhostkit_x',
        type: 'gauge',
        help: 'H\\e\nlp.',
        samples: [{ labels: { port: odd }, value: 1 }],
      },
    ])
    assert.equal(
      text,
      '# HELP vhostkit_x H\\\\e\\nlp.\n# TYPE vhostkit_x gauge\nvhostkit_x{port="a\\"b\\\\c\\nd"} 1\n',
    )
    assert.equal(parseMetrics(text).get('vhostkit_x')?.samples[0]?.labels.port, odd)
  })

  it('have as many series as there are things, whatever guests do', () => {
    const series = (ports: number) =>
      makeFamilies(
        sampleOf(
          1,
          Array.from({ length: ports }, (_, index) => ({ name: `p${index}` })),
        ),
      ).reduce((sum, { samples }) => sum + samples.length, 0)
    assert.equal(series(3) - series(2), series(2) - series(1))
    const labels = makeFamilies(sample).flatMap(({ samples }) =>
      samples.flatMap((one) => Object.keys(one.labels)),
    )
    assert.deepEqual([...new Set(labels)].sort(), [
      'core',
      'idle',
      'network',
      'node',
      'port',
      'reason',
      'state',
      'version',
      'worker',
    ])
  })

  it('are refused by the strict reader when they are wrong', () => {
    const good = '# HELP vhostkit_a_total A.\n# TYPE vhostkit_a_total counter\nvhostkit_a_total 1\n'
    parseMetrics(good)
    for (const [from, to] of [
      ['_total', ''],
      ['counter', 'gauge'],
      [' 1\n', ' one\n'],
      [' 1\n', '{a="b"c="d"} 1\n'],
      [' 1\n', '{a="\\x"} 1\n'],
      ['A.', ''],
    ] as const) {
      assert.throws(() => parseMetrics(good.replaceAll(from, to)), `${from} as ${to}`)
    }
    assert.throws(() => parseMetrics(`${good}vhostkit_a_total 1\n`))
    assert.throws(() => parseMetrics(good + good))
  })
})

describe('metrics over HTTP', () => {
  let server: TextServer
  let reads = 0
  before(async () => {
    server = await serveText('127.0.0.1', 0, {
      path: '/metrics',
      type: 'text/plain; version=0.0.4; charset=utf-8',
      read: async () => `a ${++reads}\n`,
    })
  })
  after(() => server.close())

  const ask = (path: string, method = 'GET') => fetch(`http://${server.address}${path}`, { method })

  it('are one page for GET and HEAD', async () => {
    const page = await ask('/metrics?x=1')
    assert.equal(page.status, 200)
    assert.equal(page.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
    assert.equal(await page.text(), `a ${reads}\n`)
    const head = await ask('/metrics', 'HEAD')
    assert.deepEqual([head.status, await head.text()], [200, ''])
    assert.equal((await ask('/')).status, 404)
    assert.equal((await ask('/metrics', 'POST')).status, 405)
  })

  it('are refused to a request without end', async () => {
    const [host = '', port = ''] = server.address.split(':')
    const said = await new Promise<string>((resolve, reject) => {
      let text = ''
      const socket = connect(Number(port), host)
      socket.on('data', (chunk) => {
        text += chunk.toString()
      })
      socket.on('close', () => resolve(text)).on('error', reject)
      socket.write(`GET /metrics HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(9000)}\r\n\r\n`)
    })
    assert.match(said, /^HTTP\/1\.1 431 /)
  })

  it('say who has the address', async () => {
    const port = Number(server.address.split(':')[1])
    await assert.rejects(
      serveText('127.0.0.1', port, { path: '/', type: 'text/plain', read: async () => '' }),
      { code: 'listen-failed' },
    )
  })

  it('are only for this host unless told', () => {
    assert.deepEqual(readListen('9720'), { host: '127.0.0.1', port: 9720 })
    assert.deepEqual(readListen('0.0.0.0:1'), { host: '0.0.0.0', port: 1 })
    assert.deepEqual(readListen('[::1]:9720'), { host: '::1', port: 9720 })
    for (const text of ['', 'x', 'localhost:9720', '1.2.3:4', '127.0.0.1:70000', '::1:9720', '127.0.0.1']) {
      assert.throws(() => readListen(text), { code: 'usage' }, text)
    }
  })
})
