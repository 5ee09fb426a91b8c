import assert from 'node:assert/strict'
import { chooseMemory } from '../../../src/core/accelerate/choose-memory.js'
import { memoryNodeOf, nodesOfWorkers, tellFarNodes } from '../../../src/core/doctor/far-nodes.js'
import { parseXml } from '../../../src/core/xml/parse-xml.js'
import { examineUplink } from '../../../src/drivers/switch/examine-ports.js'
import type { PortInfo } from '../../../src/drivers/switch/protocol.js'
import { readHost } from '../../golden/read-cases.js'

const uplink = { name: 'eth1', node: 1 }

describe('nodes that are apart', () => {
  it('are told, each with its reason, and only when they are', () => {
    assert.deepEqual(tellFarNodes({ memoryNode: 1, workerNodes: [0, 1], uplink }), [])
    assert.deepEqual(tellFarNodes({ memoryNode: null, workerNodes: [0], uplink }), [])
    const [worker, card, ...more] = tellFarNodes({ memoryNode: 0, workerNodes: [1], uplink })
    assert.match(worker ?? '', /memory is on node 0, and workers of the switch are on node 1 only/)
    assert.match(card ?? '', /memory is on node 0, and eth1, .* on node 1/)
    assert.deepEqual(more, [])
  })

  it('of workers are those of the cores that a switch may use', () => {
    const nodes = [
      { id: 0, cpus: [0, 1, 2, 3] },
      { id: 1, cpus: [4, 5, 6, 7] },
    ]
    assert.deepEqual(nodesOfWorkers(['switch'], nodes), [0, 1])
    assert.deepEqual(nodesOfWorkers(['switch', '--cores', '1,3'], nodes), [0])
    assert.deepEqual(nodesOfWorkers(['switch', '--cores', '1', '--spare-cores', '5'], nodes), [0, 1])
  })

  it('of memory are known where a domain is bound to one', () => {
    const bound = (tune: string) => memoryNodeOf(parseXml(`<domain><numatune>${tune}</numatune></domain>`))
    assert.equal(bound("<memory mode='strict' nodeset='1'/>"), 1)
    assert.equal(bound("<memory mode='strict' nodeset='0-1'/>"), null)
    assert.equal(bound("<memnode cellid='0' nodeset='1'/><memnode cellid='1' nodeset='1'/>"), 1)
    assert.equal(bound("<memnode cellid='0' nodeset='0'/><memnode cellid='1' nodeset='1'/>"), null)
    assert.equal(memoryNodeOf(parseXml('<domain/>')), null)
  })

  it('are avoided for a domain that is accelerated, while the pages are there', () => {
    const host = readHost('two-node-libvirt')
    const domain = (mib: number) => parseXml(`<domain><memory unit='MiB'>${mib}</memory></domain>`)
    assert.equal(chooseMemory(domain(128), host).node, 1, 'the node with most pages')
    assert.equal(chooseMemory(domain(128), { ...host, uplink: { name: 'eth0', node: 0 } }).node, 0)
    assert.equal(chooseMemory(domain(512), { ...host, uplink: { name: 'eth0', node: 0 } }).node, 1)
  })

  it('are found by doctor on networks whose frames leave the host', () => {
    const port = (name: string, kind: string, network: string, node: number) =>
      ({ name, kind, network, memory: kind === 'tap' ? null : { node } }) as PortInfo
    const ports = [
      port('host', 'tap', 'lan', -1),
      port('far', 'vhost-user', 'lan', 0),
      port('near', 'vhost-user', 'lan', 1),
      port('unknown', 'vhost-user', 'lan', -1),
      port('inside', 'vhost-user', 'private', 0),
    ]
    const found = examineUplink(ports, uplink)
    assert.deepEqual(
      found.map(({ code, subject }) => [code, subject]),
      [['uplink-far', 'port far']],
    )
    assert.deepEqual(examineUplink(ports, null), [])
  })
})
