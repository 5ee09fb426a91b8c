import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { listArtifactFiles, listServiceFiles } from '../../src/apply/artifact-files.js'
import { makeServiceFiles } from '../../src/apply/service-files.js'
import { openSeal } from '../../src/drivers/service/sealed-text.js'
import { renderAll } from '../../src/index.js'
import { readHost } from '../golden/read-cases.js'
import { planOf } from '../plan-of.js'

const text = `version: 1
name: lab
networks: [{ name: lan }]
cloud-init: { user: admin, dns: [192.168.77.1] }
machines:
  - { name: vm1, interfaces: [{ network: lan, address: 192.168.77.11/24 }] }
  - { name: vm2, cloud-init: { network: false, user-data: "#!/bin/sh\\n" } }
`

describe('rendered files', () => {
  it('have a unit that starts the switch of the spec, and else what the golden one has', async () => {
    const { argv } = renderAll(planOf(text, readHost('one-node'))).switch
    const render = async () => listServiceFiles(await makeServiceFiles(process.cwd(), argv, '/run/vhostkit'))
    const files = await render()
    assert.deepEqual(await render(), files)
    const names = ['vhostkit-switch.service', 'vhostkit.sysusers', 'vhostkit.tmpfiles']
    assert.deepEqual(
      files.map(({ name }) => name),
      names.map((name) => `systemd/${name}`),
    )
    const withoutStart = (unit: string) => unit.replace(/^ExecStart=.*$/m, 'ExecStart=')
    for (const [index, name] of names.entries()) {
      const { text: found, owner } = openSeal(files[index]?.text ?? '')
      assert.equal(owner, 'ours')
      assert.equal(withoutStart(found), withoutStart(readFileSync(`test/golden/service/${name}`, 'utf8')))
    }
    assert.ok(files[0]?.text.includes(`\nExecStart=${argv.join(' ')}\n`), files[0]?.text)
  })

  it('have what is on each seed, by the names that cloud-init knows', () => {
    const artifacts = renderAll(planOf(text, readHost('one-node')))
    const files = new Map(listArtifactFiles(artifacts).map(({ name, text: of }) => [name, of]))
    assert.deepEqual(
      [...files.keys()].filter((name) => name.includes('/')),
      ['vm1/meta-data', 'vm1/user-data', 'vm1/network-config', 'vm2/meta-data', 'vm2/user-data'].map(
        (name) => `seed-${name}`,
      ),
    )
    assert.equal(files.get('seed-vm2/user-data'), '#!/bin/sh\n')
    assert.match(files.get('seed-vm1/user-data') ?? '', /^#cloud-config\n/)
    const network = JSON.parse(files.get('seed-vm1/network-config') ?? '') as { ethernets: { net0: unknown } }
    assert.deepEqual(network.ethernets.net0, {
      match: {
        macaddress:
          artifacts.machines[0] && /mac=([0-9a-f:]+)/.exec(artifacts.machines[0].argv.join(' '))?.[1],
      },
      addresses: ['192.168.77.11/24'],
      nameservers: { addresses: ['192.168.77.1'] },
    })
  })
})
