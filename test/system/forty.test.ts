import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from '../../src/world/wait-for.js'
import { lookAtHost, requireRoot } from './host-state.js'
import { startCli } from './run-cli.js'
import { applySpec, makeSandbox, type Sandbox } from './sandbox.js'
import { sendSignal } from './send-signal.js'

interface Status {
  deployments: { machines: { name: string; running: boolean; pid: number }[] }[]
  ports: { name: string; state: string; connects: number }[]
}

/** A real guest, and 39 machines that stop at their first instruction: what is tested is their number. */
describe('forty machines', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  let spec: string
  let untouched: ReturnType<typeof lookAtHost>

  before(async function () {
    requireRoot(this)
    untouched = lookAtHost()
    sandbox = await makeSandbox('off')
    const image = join(sandbox.base, 'halt.img')
    writeFileSync(image, makeHaltSector())
    const idle = Array.from({ length: 39 }, (_, index) => {
      const disks = `[{ image: ${image}, format: raw, readonly: true }]`
      return `  - { name: m${index + 1}, memory: 16M, interfaces: [lan], boot: disk, disks: ${disks} }\n`
    })
    const guest = readFileSync(sandbox.spec, 'utf8').replace(/^ *- { name: two.*\n/m, '')
    spec = sandbox.writeSpec(guest + idle.join(''))
  })
  after(async () => {
    await sandbox?.json('destroy', 'sandbox', '--grace', '0').catch(() => undefined)
    sandbox?.remove()
  })

  const status = async () => (await sandbox.json('status')).data as unknown as Status
  const pids = async () => {
    const machines = (await status()).deployments[0]?.machines ?? []
    return new Map(machines.map(({ name, running, pid }) => [name, running ? pid : 0]))
  }
  const answers = () =>
    waitFor({ what: 'a guest to answer a ping', limitMs: 60_000 }, async () => {
      const ping = startCli(['-n', '-q', '-c', '1', '-W', '1', '192.168.78.11'], {}, ['ping'])
      return (await ping.result).exitCode === 0
    })

  it('are applied, and a second time nothing changes', async () => {
    const steps = await applySpec(sandbox, spec)
    assert.equal(steps.filter((step) => step.startsWith('start-machine ')).length, 40)
    assert.deepEqual(await applySpec(sandbox, spec), [])
  })

  it('run, each with its port, and doctor finds no problem', async () => {
    const running = await pids()
    assert.equal(new Set(running.values()).size, 40)
    assert.ok(![...running.values()].includes(0))
    const { ports } = await status()
    assert.deepEqual([ports.length, ports.filter(({ connects }) => connects === 1).length], [41, 40])
    const { exitCode, data } = await sandbox.json('doctor')
    assert.equal(exitCode, 0, JSON.stringify(data))
  })

  it('are mended where one was killed, and nowhere else', async () => {
    const before = await pids()
    sendSignal(before.get('m7'), 'SIGKILL')
    await waitFor({ what: 'its end to be seen', limitMs: 10_000 }, async () => (await pids()).get('m7') === 0)
    const steps = await applySpec(sandbox, spec)
    assert.deepEqual(steps.map((step) => step.replace(/ \/.*\//, ' ')).sort(), [
      'make-folder sandbox.m7',
      'start-machine m7',
    ])
    const after = await pids()
    assert.deepEqual(
      [...after].filter(([name, pid]) => before.get(name) !== pid).map(([name]) => name),
      ['m7'],
    )
  })

  it('get all their ports back when the switch is restarted', async () => {
    await answers()
    const before = await pids()
    assert.equal((await sandbox.json('switch', 'restart')).exitCode, 0)
    await waitFor({ what: 'forty connections', limitMs: 30_000 }, async () => {
      const { ports } = await status()
      return ports.length === 41 && ports.filter(({ connects }) => connects === 1).length === 40
    })
    await answers()
    assert.deepEqual(await pids(), before)
    assert.deepEqual(await applySpec(sandbox, spec), [])
  })

  it('leave nothing when they are destroyed', async () => {
    assert.equal((await sandbox.json('destroy', 'sandbox', '--grace', '0')).exitCode, 0)
    assert.deepEqual(readdirSync(join(sandbox.run, 'machines')), [])
    assert.deepEqual(lookAtHost(), untouched)
  })
})

/** A boot sector: cli; hlt; jmp to the hlt. */
function makeHaltSector(): Uint8Array {
  const sector = new Uint8Array(512)
  sector.set([0xfa, 0xf4, 0xeb, 0xfd])
  sector.set([0x55, 0xaa], 510)
  return sector
}
