import assert from 'node:assert/strict'
import { findOrphans } from '../../src/apply/orphan-ports.js'
import type { PortInfo } from '../../src/drivers/switch/protocol.js'
import { makeJournal } from './fake-hands.js'

const folders = { run: '/run/v', state: '/var/v' }

describe('orphan ports', () => {
  const vhost = (name: string, socket: string) => ({ name, kind: 'vhost-user', socket }) as PortInfo
  const tap = (name: string, ifname: string, state: string) => {
    return { name, kind: 'tap', socket: null, ifname, state } as PortInfo
  }
  const gone = vhost('pair.vm1.net0', '/run/v/machines/pair.vm1/net0.sock')
  const find = (ports: PortInfo[], lost: string[], machineFolders: string[], known: string[] = []) => {
    const { receipt } = makeJournal().journal
    const artifacts = {
      ...receipt.artifacts,
      ports: known.map((name) => ({ name })),
    } as typeof receipt.artifacts
    return findOrphans({ ports, lost, machineFolders }, [{ ...receipt, artifacts }], folders)
  }

  it('are ours, without files, and in no receipt', () => {
    assert.deepEqual(find([gone], ['pair.lan.host'], []), ['pair.vm1.net0', 'pair.lan.host'])
    assert.deepEqual(find([tap('pair.lan.host', 'vkbfada5-lan', 'broken')], [], []), ['pair.lan.host'])
  })

  it('are none that a receipt knows, whose files are there, or that others added', () => {
    assert.deepEqual(find([gone], ['pair.lan.host'], [], ['pair.vm1.net0', 'pair.lan.host']), [])
    assert.deepEqual(find([gone], [], ['/run/v/machines/pair.vm1']), [])
    assert.deepEqual(find([tap('pair.lan.host', 'vkbfada5-lan', 'up')], [], []), [])
    assert.deepEqual(find([vhost('uplink', '/srv/a.sock'), tap('t', 'tap0', 'broken')], ['mine'], []), [])
  })
})
