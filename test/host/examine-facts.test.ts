import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Facts } from '../../src/core/facts/facts.js'
import { examineFacts } from '../../src/host/examine-facts.js'

const host = JSON.parse(readFileSync('test/hosts/one-node-libvirt.json', 'utf8')) as Facts
const good: Facts = { ...host, kvm: { usable: true, why: 'a probe guest ran' }, canReserveHugepages: true }

const codes = (more: Partial<Facts>) => examineFacts({ ...good, ...more }).flatMap(({ code }) => code ?? [])

describe('what doctor says of a host', () => {
  it('is nothing when all is there', () => assert.deepEqual(codes({}), []))

  it('is each thing that lacks, and nothing else', () => {
    const why = 'a guest did not get to its first line within 10 s'
    const qemu = { path: '/usr/bin/qemu-system-x86_64', version: '6.2.0' }
    const faults: [string, Partial<Facts>][] = [
      ['user-not-root', { uid: 1000 }],
      ['kvm-unusable', { kvm: { usable: false, why } }],
      ['no-qemu', { qemu: null }],
      ['old-qemu', { qemu }],
      ['old-libvirt', { libvirt: { version: '8.10.0', user: null } }],
      ['no-switch-program', { switchPath: null }],
      ['no-taps', { canCreateTaps: false }],
      ['hugepages-closed', { canReserveHugepages: false }],
    ]
    for (const [code, more] of faults) assert.deepEqual(codes(more), [code])
    const kvm = examineFacts({ ...good, kvm: { usable: false, why } }).find(
      ({ subject }) => subject === 'kvm',
    )
    assert.match(kvm?.what ?? '', /did not get to its first line/)
  })

  it('is not that versions are old because they have two digits', () => {
    assert.deepEqual(codes({ qemu: { path: '/q', version: '10.1.0' } }), [])
    assert.deepEqual(codes({ libvirt: { version: '11.0.0', user: null } }), [])
  })

  it('is not that hugepages are closed where some are free', () => {
    const pool = { pageBytes: 2 ** 21, total: 8, free: 1 }
    const nodes = good.nodes.map((node) => ({ ...node, hugepages: [pool] }))
    assert.deepEqual(codes({ canReserveHugepages: false, nodes }), [])
  })
})
