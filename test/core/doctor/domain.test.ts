import assert from 'node:assert/strict'
import { type DomainFacts, examineDomain, type PortView } from '../../../src/core/doctor/examine-domain.js'
import type { Finding } from '../../../src/core/doctor/finding.js'
import { mendDomain } from '../../../src/core/doctor/mend-domain.js'
import { parseXml } from '../../../src/core/xml/parse-xml.js'

const machines = '/run/v/machines/'
const socket = `${machines}web/net0.sock`
const shared = "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"
const uuid = '9d1f0c5a-e4b7-5f6c-8a53-d07be2c91764'

function card(mac: string, more = "<model type='virtio'/>", path = socket): string {
  return `<interface type='vhostuser'><mac address='${mac}'/><source type='unix' path='${path}' mode='server'/>${more}</interface>`
}

const first = card('52:54:00:00:00:01')

function define(cards = first, memory = shared): string {
  return `<domain type='kvm'><name>web</name><uuid>${uuid}</uuid><memory>1</memory>${memory}<devices>${cards}</devices></domain>`
}

const owner = (uid: number, mode: number) => ({ uid, gid: 0, mode })
const port = (more: Partial<PortView> = {}): PortView => {
  return { name: 'p', network: 'lan', socket, mtu: 1500, state: 'up', connects: 1, last_error: null, ...more }
}

function facts(xml: string, more: Partial<DomainFacts> = {}): DomainFacts {
  const way = [
    { path: '/', owner: owner(0, 0o755) },
    { path: `${machines}web`, owner: owner(64055, 0o770) },
  ]
  const user = { name: 'libvirt-qemu', uid: 64055, gids: [109] }
  const ends = { user, switchUser: null, ways: { [socket]: way }, sockets: {} }
  const known = { name: 'web', uuid, running: true, machines, ...ends }
  return { ...known, domain: parseXml(xml), ports: [port()], others: [], hookSeen: true, ...more }
}

function codes(xml: string, more: Partial<DomainFacts> = {}): (string | null)[] {
  return examineDomain(facts(xml, more)).flatMap(({ code }) => code ?? [])
}

function repairOf(findings: Finding[]) {
  const repair = findings.find((one) => one.repair !== null)?.repair
  assert.ok(repair?.do === 'edit-domain', JSON.stringify(findings))
  return repair.edit
}

describe('a domain examined', () => {
  it('is fine when it is', () => assert.deepEqual(codes(define()), []))

  const broken: [string, string, Partial<DomainFacts>][] = [
    ['no-vhost-user', define("<interface type='network'/>"), {}],
    ['memory-private', define(first, ''), {}],
    ['hook-unseen', define(), { hookSeen: false }],
    ['model-not-virtio', define(card('52:54:00:00:00:01', "<model type='e1000'/>")), {}],
    ['mac-duplicate-card', define(), { others: [{ mac: '52:54:00:00:00:01', domain: 'db' }] }],
    ['mac-duplicate-card', define(first + first), {}],
    ['mtu-differs', define(), { ports: [port(), port({ name: 'q', socket: '/q', mtu: 9000 })] }],
    ['port-missing', define(), { ports: [] }],
    ['backend-never-connected', define(), { ports: [port({ connects: 0, last_error: 'ECONNREFUSED' })] }],
  ]
  for (const [code, xml, more] of broken) {
    it(`has ${code}, and nothing else`, () => assert.deepEqual(codes(xml, more), [code]))
  }

  it('that does not run needs no port', () => {
    assert.deepEqual(codes(define(), { running: false, ports: [] }), [])
    assert.deepEqual(codes(define(), { ports: null }), [])
  })

  it('has each cell that is not shared, whatever <access> says', () => {
    const cells = "<cell id='0' memAccess='shared'/><cell id='1'/><cell id='2' memAccess='private'/>"
    const found = examineDomain(facts(define(first, `${shared}<cpu><numa>${cells}</numa></cpu>`)))
    assert.deepEqual(
      found.filter(({ code }) => code === 'cell-private').map(({ subject }) => subject),
      ['domain web, cell 1', 'domain web, cell 2'],
    )
  })

  it('has an MTU that nobody can call wrong where the others differ', () => {
    const others = [
      port({ name: 'q', socket: '/q', mtu: 9000 }),
      port({ name: 'r', socket: '/r', mtu: 1400 }),
    ]
    assert.deepEqual(codes(define(), { ports: [port(), ...others] }), [])
  })

  it('whose QEMU may not make its socket is told so before it starts; ours is mended, others are not', () => {
    const closed = (path: string, uid: number, mode: number) => {
      return {
        ways: {
          [socket]: [
            { path, owner: owner(uid, mode) },
            { path: `${path}/x`, owner: owner(64055, 0o700) },
          ],
        },
      }
    }
    assert.deepEqual(codes(define(), closed('/a', 0, 0o700)), ['socket-unreachable'])
    assert.deepEqual(codes(define(), closed('/a', 0, 0o711)), [])
    // The owner's bits decide for the owner, whatever others may do.
    assert.deepEqual(codes(define(), closed('/a', 64055, 0o077)), ['socket-unreachable'])
    const ours = { ways: { [socket]: [{ path: `${machines}web`, owner: owner(0, 0o700) }] } }
    const [repair] = examineDomain(facts(define(), ours)).flatMap((one) => one.repair ?? [])
    assert.deepEqual(repair, { do: 'set-owner', path: `${machines}web`, uid: 64055, mode: 0o770 })
    const theirs = { ways: { [socket]: [{ path: '/srv', owner: owner(0, 0o700) }] } }
    assert.deepEqual(
      examineDomain(facts(define(), theirs)).flatMap((one) => one.repair ?? []),
      [],
    )
    const absent = { ways: { [socket]: [{ path: `${machines}web`, owner: null }] } }
    assert.deepEqual(codes(define(), absent), [], 'the hook makes it')
  })

  it('whose socket the switch may not reach is told so, as its user and not as root', () => {
    const switchUser = { name: 'vhostkit-switch', uid: 990, gids: [991, 5] }
    const way = (uid: number, gid: number, mode: number) => {
      const [top, folder] = [
        { path: '/', owner: owner(0, 0o755) },
        { path: `${machines}web`, owner: { uid, gid, mode } },
      ]
      return { switchUser, ways: { [socket]: [top, folder] } }
    }
    const closed = 'socket-closed-to-switch'
    assert.deepEqual(codes(define(), way(64055, 0, 0o770)), [closed])
    assert.deepEqual(codes(define(), way(64055, 991, 0o2750)), [])
    assert.deepEqual(codes(define(), way(64055, 5, 0o2750)), [], 'another group of his')
    assert.deepEqual(codes(define(), { ...way(64055, 0, 0o770), switchUser: null }), [])
    const [repair] = examineDomain(facts(define(), way(64055, 0, 0o770))).flatMap((one) => one.repair ?? [])
    assert.deepEqual(repair, { do: 'set-group', path: `${machines}web`, gid: 991, mode: 0o2750 })
    const rights = (gid: number, mode: number) => ({ sockets: { [socket]: { uid: 64055, gid, mode } } })
    assert.deepEqual(codes(define(), { ...way(64055, 991, 0o2750), ...rights(991, 0o775) }), [])
    assert.deepEqual(codes(define(), { ...way(64055, 991, 0o2750), ...rights(991, 0o755) }), [closed])
    assert.deepEqual(codes(define(), { ...way(64055, 991, 0o2750), ...rights(109, 0o775) }), [closed])
    const absent = { switchUser, ways: { [socket]: [{ path: `${machines}web`, owner: null }] } }
    assert.deepEqual(codes(define(), absent), [], 'the hook makes it')
  })

  it('is clean after each of its repairs, and else as it was', () => {
    const cells = "<cpu><numa><cell id='0' memory='1'/></numa></cpu>"
    const cases: [string, Partial<DomainFacts>][] = [
      [define(first, ''), {}],
      [define(first, shared + cells), {}],
      [define(first + first), {}],
      [define(), { ports: [port(), port({ name: 'q', socket: '/q', mtu: 9000 })] }],
    ]
    for (const [xml, more] of cases) {
      const mended = mendDomain(xml, repairOf(examineDomain(facts(xml, more))))
      assert.deepEqual(codes(mended, more), [], mended)
      assert.ok(mended.includes(first.replace('</interface>', '')), mended)
    }
  })

  it('keeps its line about a card whose MAC changes', () => {
    const meta =
      "<metadata><k:domain xmlns:k='urn:vhostkit:domain:1'><k:interface mac='52:54:00:00:00:01' port='a'/><k:interface mac='52:54:00:00:00:01' port='b'/></k:domain></metadata>"
    const xml = define(first + first).replace('<memory>', `${meta}<memory>`)
    const mended = mendDomain(xml, { interface: 1, mac: '52:54:00:00:00:02' })
    assert.match(mended, /mac='52:54:00:00:00:01' port='a'.*mac='52:54:00:00:00:02' port='b'/)
  })
})
