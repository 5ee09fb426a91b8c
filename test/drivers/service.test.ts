import assert from 'node:assert/strict'
import { vhostSockets } from '../../src/drivers/qemu/start-machine.js'
import { openSeal, sealText } from '../../src/drivers/service/sealed-text.js'
import { parseUnit, readSupervision } from '../../src/drivers/service/supervision.js'
import { sampleOf } from '../cli/seeing/sample-of.js'

describe('a sealed text', () => {
  it('knows whose it is', () => {
    const sealed = sealText('[Unit]\nA=1\n')
    assert.deepEqual(openSeal(sealed), { text: '[Unit]\nA=1\n', owner: 'ours' })
    assert.equal(openSeal(`${sealed}B=2\n`).owner, 'edited')
    assert.equal(openSeal(sealed.replace('A=1', 'A=2')).owner, 'edited')
    assert.equal(openSeal(sealed.slice(0, -1)).owner, 'edited')
    for (const text of ['', '[Unit]\nA=1\n', `\n${sealed}`, sealed.split('\n', 1)[0] ?? '']) {
      assert.equal(openSeal(text).owner, 'foreign')
    }
  })
})

describe('who supervises the switch', () => {
  it('is read from what it says', async () => {
    const { info } = sampleOf(1000, [])
    assert.deepEqual(await readSupervision(info), { by: 'vhostkit', unit: null })
    assert.deepEqual(await readSupervision({ ...info, supervisor_pid: 0 }), { by: 'nobody', unit: null })
    const served = { ...info, pid: 2 ** 22 + 1, service: { watchdog_ms: 10_000 } }
    assert.deepEqual(await readSupervision(served), { by: 'systemd', unit: null })
  })

  it('is a unit where the kernel names one', () => {
    assert.equal(parseUnit('0::/system.slice/vhostkit-switch.service\n'), 'vhostkit-switch.service')
    assert.equal(parseUnit('1:name=systemd:/system.slice/a@b.service/x\n0::/\n'), 'a@b.service')
    assert.equal(parseUnit('0::/user.slice/user-0.slice/session-1.scope\n'), null)
  })
})

describe('the sockets on which QEMU waits for the switch', () => {
  it('are those of vhost-user cards, not its monitor', () => {
    const argv = [
      '-chardev',
      'socket,id=port0,path=/m/a,,b.sock,server=on',
      '-netdev',
      'vhost-user,id=net0,chardev=port0,queues=1',
    ]
    assert.deepEqual(vhostSockets([...argv, '-chardev', 'socket,id=mon,path=/m/qmp,server=on']), [
      '/m/a,b.sock',
    ])
  })
})
