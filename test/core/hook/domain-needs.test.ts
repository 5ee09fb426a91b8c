import assert from 'node:assert/strict'
import fc from 'fast-check'
import { domainNeeds, machineFolderOf } from '../../../src/core/hook/domain-needs.js'
import { inSet, pageNeeds } from '../../../src/core/hook/page-needs.js'
import { namePattern } from '../../../src/core/spec/names.js'
import { parseXml } from '../../../src/core/xml/parse-xml.js'
import { escapeText, escapeValue } from '../../../src/core/xml/render-xml.js'
import { renderAll } from '../../../src/index.js'
import { readHost } from '../../golden/read-cases.js'
import { planOf } from '../../plan-of.js'

const run = '/run/vhostkit'
const uuid = '9d1f0c5a-e4b7-5f6c-8a53-d07be2c91764'

/** A domain that somebody else made. */
function foreign(name: string, path: string, mode = 'server'): string {
  return `<domain><name>${escapeText(name)}</name><uuid>${uuid}</uuid><devices><interface type='network'/>
    <interface type='vhostuser'><mac address='52:54:00:AA:00:01'/><source type='unix' path='${escapeValue(path)}' mode='${mode}'/>
    <driver queues='2'/></interface></devices></domain>`
}

describe('what a domain needs', () => {
  it('is for our own definitions just what the CLI would ask for', () => {
    const text = `{ version: 1, name: d, driver: libvirt, networks: [{ name: lan, mtu: 9000 }], machines: [
      { name: one, cpus: 2, memory: 64M, interfaces: [{ network: lan, queues: 2, isolated: true, vlan: 7, antispoof: true }, lan] }] }`
    const { ports, machines } = renderAll(planOf(text, readHost('one-node-hugepages')))
    const needs = domainNeeds(parseXml(machines[0]?.domain?.xml ?? ''), run)
    assert.deepEqual(needs?.ports, ports)
    assert.deepEqual(needs?.folders, [machines[0]?.folder])
    assert.deepEqual(needs?.pages, [{ node: null, pageBytes: 2 ** 21, pages: 32 }])
  })

  it('is a port of the network "default" for domains of others', () => {
    const needs = domainNeeds(parseXml(foreign('web', `${run}/machines/web/lan.sock`)), run)
    assert.deepEqual(needs?.ports, [
      {
        kind: 'vhost-user',
        name: 'libvirt.web.net1',
        network: 'default',
        socket: `${run}/machines/web/lan.sock`,
        role: 'client',
        queues: 2,
        mtu: 1500,
        mac_limit: 1024,
      },
    ])
    const turned = domainNeeds(parseXml(foreign('web', `${run}/machines/web/lan.sock`, 'client')), run)
    assert.equal(turned?.ports[0]?.kind === 'vhost-user' && turned.ports[0].role, 'server')
  })

  it('is none of ours where the socket is elsewhere', () => {
    for (const path of [
      '/run/ovs/a.sock',
      `${run}/machines/a.sock`,
      `${run}/machines/../x/a.sock`,
      `${run}x/a/b`,
      '',
    ]) {
      assert.equal(domainNeeds(parseXml(foreign('web', path)), run), null, path)
    }
    assert.equal(domainNeeds(parseXml('<domain/>'), run), null)
  })

  it('never leaves our folders nor the names of ports, whatever a domain is called', function () {
    this.timeout(60_000)
    const hostile = fc.oneof(
      fc.constantFrom(
        '../../etc',
        '$(reboot)',
        '`id`',
        "a'; rm -rf /",
        'a\nb',
        '-o',
        '..',
        'ä'.repeat(40),
        'x'.repeat(300),
      ),
      fc.string({ unit: 'binary', maxLength: 80 }).map((text) => text.replace(/[^\t\n\r -\ud7ff]/g, '?')),
    )
    fc.assert(
      fc.property(hostile, hostile, (name, file) => {
        const socket = `${run}/machines/${file}/net0.sock`
        const needs = domainNeeds(parseXml(foreign(name, socket)), run)
        if (needs === null) return
        for (const folder of needs.folders) assert.match(folder, /^\/run\/vhostkit\/machines\/[^/]+$/)
        for (const folder of needs.folders) assert.doesNotMatch(folder, /\/\.{1,2}$/)
        for (const { name: port } of needs.ports) assert.match(port, namePattern)
      }),
      { numRuns: 100 },
    )
    assert.equal(machineFolderOf(`${run}/machines/a/../b`, run), null)
  })
})

describe('the pages of a domain', () => {
  const needs = (rest: string) => pageNeeds(parseXml(`<domain>${rest}</domain>`))
  const huge = (pages: string) => `<memoryBacking><hugepages>${pages}</hugepages></memoryBacking>`

  it('are none without hugepages, and of the usual size without one', () => {
    assert.deepEqual(needs(`<memory unit='GiB'>1</memory>`), [])
    assert.deepEqual(needs(`<memory unit='GiB'>1</memory>${huge('')}`), [
      { node: null, pageBytes: 2 ** 21, pages: 512 },
    ])
    assert.deepEqual(needs(`<memory>2049</memory>${huge('')}`), [
      { node: null, pageBytes: 2 ** 21, pages: 2 },
    ])
  })

  it('are those of each cell on the node it is bound to', () => {
    const cells = `<cpu><numa><cell id='0' memory='1' unit='GiB'/><cell id='1' memory='1048576'/><cell id='2' memory='64' unit='M'/></numa></cpu>`
    const tune = `<numatune><memory mode='strict' nodeset='0-3'/><memnode cellid='0' mode='strict' nodeset='2'/><memnode cellid='1' mode='strict' nodeset='3'/></numatune>`
    const pages = huge(`<page size='1' unit='G' nodeset='0-1'/><page size='2048' unit='KiB' nodeset='2'/>`)
    assert.deepEqual(needs(cells + tune + pages), [
      { node: 2, pageBytes: 2 ** 30, pages: 1 },
      { node: 3, pageBytes: 2 ** 30, pages: 1 },
      { node: null, pageBytes: 2 ** 21, pages: 32 },
    ])
  })

  it('of several cells on one node are counted together', () => {
    const cells = `<cpu><numa><cell id='0' memory='64' unit='M'/><cell id='1' memory='64' unit='M'/></numa></cpu>`
    const tune = `<numatune><memory mode='strict' nodeset='1'/></numatune>`
    assert.deepEqual(needs(cells + tune + huge('')), [{ node: 1, pageBytes: 2 ** 21, pages: 64 }])
  })

  it('know sets', () => {
    assert.deepEqual(
      [inSet(3, '0-2,8'), inSet(8, '0-2,8'), inSet(1, '0-2'), inSet(0, null)],
      [false, true, true, false],
    )
  })
})
