import assert from 'node:assert/strict'
import fc from 'fast-check'
import { accelerateDomain } from '../../../src/core/accelerate/accelerate-domain.js'
import { domainNeeds } from '../../../src/core/hook/domain-needs.js'
import { vhostkitNamespace } from '../../../src/core/render/libvirt/metadata.js'
import { applyEdits } from '../../../src/core/xml/edit-text.js'
import { diffLines } from '../../../src/core/xml/line-diff.js'
import { parseXml } from '../../../src/core/xml/parse-xml.js'
import { attributeOf, elementsOf, find } from '../../../src/core/xml/xml.js'

const uuid = '9d1f0c5a-e4b7-5f6c-8a53-d07be2c91764'
const none = { pageBytes: null, node: null }

/** A domain of somebody with habits of their own: comments, odd quotes, blanks, a long attribute with ">". */
function theirs(more: { type?: string; nic?: string; top?: string } = {}): string {
  const { type = 'kvm', top = '' } = more
  const nic =
    more.nic ??
    `<interface type="network"   trustGuestRxFilters='no'>
      <!-- the office -->
      <mac address='52:54:00:aa:00:01'/>
      <source network='office'/>
      <target dev='vnet0'/>
      <model type='virtio'/>
      <boot order='2'/>
      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
    </interface>`
  return `<domain type='${type}'>
  <name>web</name>
  <uuid>${uuid}</uuid>
  <!-- keep me -->
  <description>a > b &amp; "c"</description>
  <memory unit='KiB'>131072</memory>
  <currentMemory unit='KiB'>131072</currentMemory>${top}
  <vcpu placement='static'>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
  </os>
  <devices>
    <disk   type='file' device='disk' ><source file='/a>b.img'/></disk>
    ${nic}
  </devices>
</domain>
`
}

function accelerated(xml: string, memory: { pageBytes: number | null; node: number | null } = none): string {
  const result = accelerateDomain(xml, { network: null, runFolder: '/run/v', memory })
  assert.ok('xml' in result, JSON.stringify(result))
  return result.xml
}

function refusals(xml: string): string[] {
  const result = accelerateDomain(xml, { network: null, runFolder: '/run/v', memory: none })
  return 'refusals' in result ? result.refusals : []
}

describe('accelerating a domain', () => {
  it('shows no empty line at the end, with which virsh ends a definition', () => {
    assert.equal(diffLines('a\nb\n\n', 'a\nc\n\n'), '  a\n- b\n+ c')
  })

  it('changes just these lines', () => {
    const xml = theirs()
    assert.equal(
      diffLines(xml, accelerated(xml), 0),
      `+   <metadata>
+     <vhostkit:domain xmlns:vhostkit='urn:vhostkit:domain:1'>
+       <vhostkit:interface mac='52:54:00:aa:00:01' network='office' port='libvirt.web.net0'/>
+     </vhostkit:domain>
+   </metadata>
  …
+   <memoryBacking>
+     <source type='memfd'/>
+     <access mode='shared'/>
+   </memoryBacking>
  …
-     <interface type="network"   trustGuestRxFilters='no'>
+     <interface type='vhostuser'   trustGuestRxFilters='no'>
  …
-       <source network='office'/>
-       <target dev='vnet0'/>
+       <source type='unix' path='/run/v/machines/${uuid}/net0.sock' mode='server'/>`,
    )
  })

  it('adds hugepages, a node, and what TCG needs, where those are wanted', () => {
    const xml = accelerated(theirs({ type: 'qemu' }), { pageBytes: 2 ** 21, node: 1 })
    assert.match(xml, /<page size='2048' unit='KiB'\/>/)
    assert.match(xml, /<memory mode='strict' nodeset='1'\/>/)
    assert.match(xml, /<qemu:arg value='virtio-net-pci\.vectors=0'\/>/)
    assert.equal(attributeOf(parseXml(xml), 'xmlns:qemu'), 'http://libvirt.org/schemas/domain/qemu/1.0')
  })

  it('shares what is there: each cell, the access, the source; hugepages of theirs stay', () => {
    const top = `
  <memoryBacking><hugepages><page size='1' unit='G'/></hugepages><access mode='private'/></memoryBacking>
  <numatune><memory mode='preferred' nodeset='0'/></numatune>
  <cpu><numa><cell id='0' memory='1' memAccess="private"/><cell id='1' memory='1'/></numa></cpu>`
    const xml = accelerated(theirs({ top }), { pageBytes: 2 ** 21, node: 1 })
    assert.match(
      xml,
      /<cell id='0' memory='1' memAccess='shared'\/><cell id='1' memory='1' memAccess='shared'\/>/,
    )
    assert.match(xml, /<page size='1' unit='G'\/><\/hugepages><access mode='shared'\/>/)
    assert.doesNotMatch(xml, /2048|strict|memfd/)
    const file = `\n  <memoryBacking>\n    <source type='file'/>\n  </memoryBacking>`
    assert.match(
      accelerated(theirs({ top: file })),
      /<source type='memfd'\/>\n {4}<access mode='shared'\/>\n {2}<\//,
    )
    assert.match(
      accelerated(theirs({ top: '\n  <memoryBacking/>' })),
      /<memoryBacking>\n {4}<access mode='shared'\/>\n {4}<source type='memfd'\/>/,
    )
  })

  it('is what the hook then reads', () => {
    const needs = domainNeeds(parseXml(accelerated(theirs(), { pageBytes: 2 ** 21, node: 3 })), '/run/v')
    assert.deepEqual(
      needs?.ports.map(({ name, network }) => [name, network]),
      [['libvirt.web.net0', 'office']],
    )
    assert.deepEqual(needs?.pages, [{ node: 3, pageBytes: 2 ** 21, pages: 64 }])
  })

  it('takes all away that a vhost-user card cannot have, and words about another domain', () => {
    const words = `<metadata>
    <x:y xmlns:x='urn:x'/>
    <vhostkit:domain xmlns:vhostkit='${vhostkitNamespace}'><vhostkit:interface mac='52:54:00:aa:00:01' network='old' port='old'/></vhostkit:domain>
  </metadata>`
    const nic = `<interface type='ethernet'><mac address='52:54:00:aa:00:01'/>
      <ip address='10.0.0.1'/>
      <ip address='fd00::1'/>
      <route address='10.0.0.0' gateway='10.0.0.2'/>
      <model type='virtio'/></interface>`
    const domain = parseXml(accelerated(theirs({ nic, top: words })))
    const card = find(domain, 'devices', 'interface')
    assert.deepEqual([find(card ?? domain, 'ip'), find(card ?? domain, 'route')], [null, null])
    const metadata = elementsOf(find(domain, 'metadata') ?? domain)
    assert.deepEqual(
      metadata.map(({ name }) => name),
      ['x:y', 'vhostkit:domain'],
    )
    assert.equal(domainNeeds(domain, '/run/v')?.ports[0]?.network, 'default')
  })

  it('has the socket in it, whatever the run folder is called', () => {
    const result = accelerateDomain(theirs(), { network: null, runFolder: "/srv/o'c & <co>", memory: none })
    assert.ok('xml' in result)
    const source = find(parseXml(result.xml), 'devices', 'interface', 'source')
    assert.equal(attributeOf(source, 'path'), `/srv/o'c & <co>/machines/${uuid}/net0.sock`)
  })

  it('is refused with every reason', () => {
    const nic = (inside: string, type = 'network') =>
      theirs({ nic: `<interface type='${type}'>${inside}</interface>` })
    assert.match(refusals(nic("<model type='e1000'/>"))[0] ?? '', /has the model e1000; only virtio works/)
    assert.match(refusals(nic(''))[0] ?? '', /rtl8139/)
    assert.match(refusals(nic('', 'vhostuser'))[0] ?? '', /already/)
    assert.match(refusals(nic("<model type='virtio'/>", 'hostdev'))[0] ?? '', /of type hostdev/)
    assert.match(refusals(nic("<model type='virtio'/><filterref filter='a'/>"))[0] ?? '', /<filterref>/)
    assert.match(refusals(nic("<model type='virtio'/><port isolated='yes'/>"))[0] ?? '', /<port>/)
    assert.match(
      refusals(theirs({ top: "<launchSecurity type='sev'/>" }))[0] ?? '',
      /encrypted cannot be shared/,
    )
    assert.match(refusals(theirs({ nic: '' }))[0] ?? '', /no network cards/)
    assert.match(refusals(theirs({ type: 'xen' }))[0] ?? '', /type is xen/)
    assert.match(refusals(theirs().replace('x86_64', 'aarch64'))[0] ?? '', /aarch64/)
    assert.match(refusals(theirs().replace('pc-q35-7.2', 'isapc'))[0] ?? '', /no PCI bus/)
    assert.equal(refusals(theirs({ type: 'xen', nic: '' })).length, 2)
  })

  it('never changes what stands between, whatever it is', function () {
    this.timeout(60_000)
    const filler = fc.array(
      fc.constantFrom('<!-- <a> -->', ' ', '\n', '\t', "<x y='>'/>", '<z>&amp;</z>', '<q:r/>'),
      {
        maxLength: 8,
      },
    )
    fc.assert(
      fc.property(filler, filler, (above, below) => {
        const xml = theirs({ top: above.join('') }).replace('  <devices>', `${below.join('')}<devices>`)
        const result = accelerated(xml)
        for (const part of [above.join(''), below.join(''), '<!-- keep me -->', '<!-- the office -->'])
          assert.ok(result.includes(part), part)
        assert.ok(find(parseXml(result), 'memoryBacking', 'access'))
      }),
    )
  })

  it('makes edits that do not overlap', () => {
    assert.equal(
      applyEdits('abc', [
        { start: 1, end: 2, text: 'x' },
        { start: 1, end: 1, text: '_' },
      ]),
      'a_xc',
    )
    assert.throws(
      () =>
        applyEdits('abc', [
          { start: 0, end: 2, text: '' },
          { start: 1, end: 3, text: '' },
        ]),
      /overlap/,
    )
  })
})
