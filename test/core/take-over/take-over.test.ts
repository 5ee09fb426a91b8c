import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Artifacts } from '../../../src/core/render/artifacts.js'
import { appliedSpec } from '../../../src/core/take-over/applied-spec.js'
import { imageFiles } from '../../../src/core/take-over/image-files.js'
import { showLeft, specText } from '../../../src/core/take-over/show-taken-over.js'
import { type TakeOverSights, takeOver } from '../../../src/core/take-over/take-over.js'
import { parseXml } from '../../../src/core/xml/parse-xml.js'
import { type Facts, makePlan, parseSpec, renderAll } from '../../../src/index.js'
import { type GoldenCase, readCases } from '../../golden/read-cases.js'
import { specOf } from '../../plan-of.js'
import { caseNames, noSights, renderTakenOver, specFile } from './cases.js'

const own = readCases().filter(
  ({ name, specText: text }) => /^driver: libvirt/m.test(text) && !/^refused/.test(name),
)

/** A deployment of ours as it was rendered, and the same once more from the spec that was read of its domains. */
function roundTrip(
  { specText: text, specName, facts, folders, defaultBoot }: GoldenCase,
  edit = (xml: string) => xml,
) {
  const spec = parseSpec(text, specName)
  assert.ok('ok' in spec)
  const planned = makePlan(spec.ok, facts, folders, { defaultBoot })
  assert.ok('ok' in planned)
  const first = renderAll(planned.ok)
  const made = withDisks(facts, first)
  const domains = first.machines.map(({ domain }) => parseXml(edit(domain?.xml ?? '')))
  const sights: TakeOverSights = {
    images: made.images.filter(({ path }) => domains.flatMap(imageFiles).includes(path)),
    hostAddresses: spec.ok.networks.map(({ name, hostAddresses }) => ({
      network: name,
      addresses: hostAddresses,
    })),
    seeds: first.machines.flatMap(({ files = [] }) =>
      files.flatMap((file) => (file.kind === 'seed' ? [{ path: file.path, files: file.files }] : [])),
    ),
    applied: appliedSpec(text),
    connect: spec.ok.connect,
  }
  const taken = takeOver(domains, sights)
  const again = makePlan(specOf(specText(taken, 'x')), made, folders)
  assert.ok('ok' in again, JSON.stringify(again))
  return { taken, first, second: renderAll(again.ok) }
}

/** The host once the disks of a deployment are made. */
function withDisks(facts: Facts, { machines }: Artifacts): Facts {
  const disks = machines.flatMap(({ files = [] }) =>
    files.flatMap((file) => {
      if (file.kind !== 'disk' || facts.images.some(({ path }) => path === file.path)) return []
      const below = facts.images.find(({ path }) => path === file.backing?.path)
      const bytes = file.bytes ?? below?.bytes ?? 0
      return [
        {
          path: file.path,
          format: 'qcow2' as const,
          bytes,
          backing: file.backing?.path ?? null,
          identity: file.path,
          fault: null,
        },
      ]
    }),
  )
  return { ...facts, images: [...facts.images, ...disks] }
}

/** What of artifacts the host is compared with. */
function compared({ taps, dhcp, nat, ports, machines }: Artifacts) {
  return {
    taps,
    dhcp,
    nat,
    ports,
    machines: machines.map(({ name, domain, files = [] }) => ({
      name,
      domain,
      files: files.map(({ path }) => path),
    })),
  }
}

describe('taking over', () => {
  for (const name of caseNames()) {
    it(`gives a spec of somebody's domain, and says what is not in it: ${name}`, () => {
      const text = renderTakenOver(name)
      assert.equal(readFileSync(specFile(name), 'utf8'), text, 'run npm run golden and read the difference')
      assert.ok('ok' in parseSpec(text, name), text)
    })
  }

  it('has deployments of ours to try', () => assert.ok(own.length >= 4))

  for (const golden of own) {
    it(`gives back the spec of a deployment of ours, so that nothing would change: ${golden.name}`, () => {
      const { taken, first, second } = roundTrip(golden)
      assert.deepEqual(compared(second), compared(first))
      assert.deepEqual([taken.left, taken.foreign], [[], false], showLeft(taken.left).join('\n'))
    })
  }

  it('would not pass with a word of the domain that it does not read', () => {
    const golden = own.find(({ name }) => name === 'disks-libvirt')
    assert.ok(golden)
    const differs = (edit: (xml: string) => string) => {
      const { first, second } = roundTrip(golden, edit)
      assert.notDeepEqual(compared(second), compared(first))
    }
    differs((xml) => xml.replace("bus='scsi'", "bus='sata'"))
    differs((xml) => xml.replace("<boot order='1'/>", "<boot order='9'/>"))
    differs((xml) => xml.replaceAll("name='status'", "name='other'"))
    differs((xml) => xml.replaceAll(/<nvram.*nvram>/g, '').replaceAll(/<loader.*loader>/g, ''))
  })

  it('says that a seed or a disk of ours is not known here', () => {
    const [xml] = own.flatMap((golden) =>
      golden.name === 'disks-libvirt' ? [readFileSync(`${golden.folder}/domain-web.xml`, 'utf8')] : [],
    )
    const { left, spec } = takeOver([parseXml(xml ?? '')], noSights)
    assert.deepEqual(
      left.map(({ what }) => what.replace(/\/var.*/, '…')),
      ['the disk sda', 'the seed …'],
    )
    assert.ok(
      'ok' in parseSpec(specText({ spec, left, name: 'shop', domains: [], foreign: false }, 'x'), 'x'),
    )
  })

  it('refuses what can be no machine', () => {
    const refused = (xml: string, why: RegExp) =>
      assert.throws(() => takeOver([parseXml(xml)], noSights), { code: 'domain-refused', message: why })
    refused('<network><name>x</name></network>', /<network>, not a <domain>/)
    refused("<domain type='xen'><os><type>hvm</type></os></domain>", /type is xen/)
    refused("<domain type='kvm'><os><type arch='aarch64'>hvm</type></os></domain>", /aarch64/)
    refused("<domain type='kvm'><name>x</name></domain>", /not hvm/)
  })

  it('takes hostile names for what they are: text of somebody else', () => {
    const hostile = '../../etc/passwd\u2028$(x)`\'"'
    const xml = `<domain type='kvm'><name>${hostile.replace('"', '&quot;')}</name><memory>1</memory><os><type>hvm</type></os>
      <devices><interface type='bridge'><source bridge='../br; rm'/></interface></devices></domain>`
    const taken = takeOver([parseXml(xml)], noSights)
    assert.match(taken.name, /^[A-Za-z0-9][A-Za-z0-9_.-]*$/)
    const text = specText(taken, hostile)
    assert.ok(text.split('\n').every((line) => !/\p{Cc}/u.test(line)))
    const { machines, networks } = specOf(text)
    assert.deepEqual([machines[0]?.memoryBytes, networks[0]?.name], [16 * 2 ** 20, 'br-rm'])
  })
})
