import assert from 'node:assert/strict'
import { renderWords } from '../../../src/core/hotplug/domain-words.js'
import { type Attachment, planAttach } from '../../../src/core/hotplug/plan-attach.js'
import { type Detachment, planDetach } from '../../../src/core/hotplug/plan-detach.js'
import { parseXml } from '../../../src/core/xml/parse-xml.js'

const run = '/run/vhostkit'
const uuid = '29f44a64-2877-5324-896a-169d63ba358e'
const shared = "<memoryBacking><access mode='shared'/></memoryBacking>"
const freePort = "<controller type='pci' index='1' model='pcie-root-port'/>"

function domain({ type = 'kvm', backing = shared, devices = freePort, more = '' } = {}): string {
  return `<domain type='${type}'><name>web</name><uuid>${uuid}</uuid>${more}${backing}
    <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os><devices>${devices}</devices></domain>`
}

function card(mac: string, socket: string, alias = ''): string {
  return `<interface type='vhostuser'><mac address='${mac}'/><source type='unix' path='${socket}' mode='server'/>${alias}</interface>`
}

const words = (...cards: string[]) =>
  `<metadata><v:domain xmlns:v='urn:vhostkit:domain:1' deployment='d'>${cards.join('')}</v:domain></metadata>`

describe('a card more', () => {
  const wish = { network: 'lan', mac: null, queues: 2, mtu: 1500, runFolder: run }
  const plan = (xml: string, live: string | null = null) =>
    planAttach(parseXml(xml), live === null ? null : parseXml(live), wish)
  const refusals = (xml: string, live: string | null = null) => {
    const planned = plan(xml, live)
    return 'refusals' in planned ? planned.refusals.join(' ') : ''
  }

  it('gets a port, a socket and an alias that nothing else has, in either definition', () => {
    const folder = `${run}/machines/d.web`
    const next = domain({ devices: freePort + card('52:54:00:00:00:01', `${folder}/net0.sock`) })
    const live = domain({
      devices:
        freePort +
        card('52:54:00:00:00:01', `${folder}/net0.sock`) +
        card('52:54:00:00:00:02', `${folder}/net1.sock`, "<alias name='ua-net1'/>"),
    })
    const { port, folder: own, xml } = plan(next, live) as Attachment
    assert.deepEqual(
      [own, port.name, port.socket, port.queues],
      [folder, 'libvirt.web.net2', `${folder}/net2.sock`, 2],
    )
    assert.match(xml, /<driver queues='2'/)
    assert.equal((plan(domain()) as Attachment).folder, `${run}/machines/${uuid}`)
  })

  it('keeps what the metadata says of the others', () => {
    const old = "<v:interface mac='52:54:00:00:00:01' network='dmz' port='d.web.net0' policy='{}'/>"
    const planned = plan(domain({ more: words(old) })) as Attachment
    const lines = renderWords(planned.words.after).trim().split('\n')
    assert.deepEqual(lines.slice(0, 2), [
      "<domain deployment='d'>",
      "  <interface mac='52:54:00:00:00:01' network='dmz' port='d.web.net0' policy='{}'/>",
    ])
    assert.match(lines[2] ?? '', /network='lan' port='libvirt.web.net0'/)
  })

  it('is refused where it could not work, with the reason', () => {
    assert.match(
      refusals(domain({ backing: '' })),
      /not shared \(memoryBacking has no access\).*accelerate web/,
    )
    const cell = "<cpu><numa><cell id='0'/><cell id='1' memAccess='shared'/></numa></cpu>"
    assert.match(refusals(domain({ backing: shared + cell })), /cell 0 of cpu\/numa is not memAccess/)
    assert.match(refusals(domain({ type: 'qemu' })), /TCG.*pci=nomsi/)
    assert.match(refusals(domain({ type: 'xen' })), /Its type is xen/)
    const full = domain({ devices: `${freePort}<disk><address type='pci' bus='0x01'/></disk>` })
    assert.match(refusals(domain(), full), /No PCI port is free/)
    assert.equal(refusals(full), '', 'libvirt adds a port to what is off')
  })
})

describe('a card less', () => {
  const sockets = [0, 1].map((index) => `${run}/machines/d.web/net${index}.sock`)
  const xml = domain({
    devices: sockets.map((path, index) => card(`52:54:00:00:00:0${index + 1}`, path)).join(''),
    more: words("<v:interface mac='52:54:00:00:00:01' network='dmz' port='d.web.net0'/>"),
  })
  const plan = (network: string, mac: string | null = null) =>
    planDetach(parseXml(xml), null, { network, mac, runFolder: run })

  it('is known by its network, as the hook knows it', () => {
    const { mac, port, words: own } = plan('dmz') as Detachment
    assert.deepEqual([mac, port, own.after?.cards], ['52:54:00:00:00:01', 'd.web.net0', []])
    assert.equal((plan('default') as Detachment).port, 'libvirt.web.net1')
  })

  it('is refused when there is none, or more than one', () => {
    assert.match(JSON.stringify(plan('lan')), /no card on lan; found 52:54:00:00:00:01 on dmz, /)
    assert.match(JSON.stringify(plan('dmz', '52:54:00:00:00:09')), /no card 52:54:00:00:00:09 on dmz/)
    const two = domain({ devices: sockets.map((path, at) => card(`52:54:00:00:00:0${at}`, path)).join('') })
    const wish = { network: 'default', mac: null, runFolder: run }
    assert.match(JSON.stringify(planDetach(parseXml(two), null, wish)), /2 cards on default: say which/)
  })
})
