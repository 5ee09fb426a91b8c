import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findLosses } from '../../../src/core/xml/find-losses.js'
import { parseXml } from '../../../src/core/xml/parse-xml.js'
import { casesFolder } from '../../golden/read-cases.js'
import { lookAtHost, testFolderPrefix } from '../host-state.js'
import { type Libvirtd, requireLibvirt, startLibvirtd, validateDomain } from './libvirtd.js'

/** Every definition that a golden case has. */
const definitions = readdirSync(casesFolder).flatMap((name) =>
  readdirSync(join(casesFolder, name))
    .filter((file) => /^domain-.*\.xml$/.test(file))
    .map((file) => join(casesFolder, name, file)),
)

describe('every definition of the golden cases', function () {
  this.timeout(60_000)
  let untouched: ReturnType<typeof lookAtHost>
  let base: string
  let libvirtd: Libvirtd

  before(async function () {
    requireLibvirt(this)
    untouched = lookAtHost()
    base = mkdtempSync(join(tmpdir(), testFolderPrefix.slice(1)))
    libvirtd = await startLibvirtd(base)
  })
  after(async () => {
    await libvirtd?.stop()
    rmSync(base, { recursive: true, force: true })
    assert.deepEqual(lookAtHost(), untouched)
  })

  /** What libvirt has after it took a definition. */
  const roundTrip = (xml: string): string => {
    const path = join(base, 'domain.xml')
    writeFileSync(path, xml)
    const defined = libvirtd.virsh('define', '--validate', path)
    assert.equal(defined.status, 0, defined.stderr)
    const uuid = /<uuid>(.*)<\/uuid>/.exec(xml)?.[1] ?? ''
    const back = libvirtd.virsh('dumpxml', '--inactive', uuid).stdout
    assert.equal(libvirtd.virsh('undefine', uuid).status, 0)
    return back
  }

  it('are there to be looked at', () => assert.ok(definitions.length >= 7, definitions.join(' ')))

  for (const path of definitions) {
    it(`${path} is valid and comes back from libvirt without loss`, () => {
      assert.equal(validateDomain(path), '')
      const text = readFileSync(path, 'utf8')
      // A host without KVM knows no such domains; all else is the same.
      const xml = existsSync('/dev/kvm')
        ? text
        : text.replace("type='kvm'", "type='qemu'").replace('host-passthrough', 'maximum')
      assert.deepEqual(findLosses(parseXml(xml), parseXml(roundTrip(xml))), [])
    })
  }

  it('would not pass with a word that libvirt does not know, or that it drops', () => {
    const text = readFileSync(definitions[0] ?? '', 'utf8')
    const path = join(base, 'wrong.xml')
    writeFileSync(path, text.replace("memAccess='shared'", "memAccess='common'"))
    assert.match(validateDomain(path), /Relax-NG validity error|fails to validate/)
    const more = text.replace("<model type='virtio'/>", "<model type='virtio' colour='red'/>")
    const xml = existsSync('/dev/kvm') ? more : more.replace("type='kvm'", "type='qemu'")
    writeFileSync(path, xml)
    assert.equal(libvirtd.virsh('define', path).status, 0)
    const back = libvirtd.virsh('dumpxml', '--inactive', /<uuid>(.*)<\/uuid>/.exec(xml)?.[1] ?? '').stdout
    assert.deepEqual(findLosses(parseXml(xml), parseXml(back)), [
      'domain/devices/interface/model/@colour: red is gone',
    ])
  })
})
