import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import type { Artifacts } from '../../src/core/render/artifacts.js'
import { abstraction, compilePolicy, guestPolicy, parser, profile } from './apparmor-policy.js'

/** The rules of a text that are about paths: a pattern and the rights. */
function pathRules(text: string): { pattern: RegExp; rights: string }[] {
  return [...text.matchAll(/^\s+(\/\S+) (\w+),$/gm)].map(([, glob = '', rights = '']) => {
    const source = glob
      .replace(/[.+^$()|]/g, '\\$&')
      .replace(/\*\*|\*/g, (star) => (star === '**' ? '.*' : '[^/]*'))
    return { pattern: new RegExp(`^${source}$`), rights }
  })
}

function mayUse(text: string, path: string, rights: string): boolean {
  return pathRules(text).some(
    (rule) => rule.pattern.test(path) && [...rights].every((one) => rule.rights.includes(one)),
  )
}

describe('policy of AppArmor', () => {
  it('compiles, and a broken one does not', function () {
    this.timeout(120_000)
    if (!existsSync(parser)) {
      process.stderr.write(`\n*** SKIPPED, because this host lacks ${parser} (sh bin/setup)\n`)
      this.skip()
    }
    for (const text of [profile, guestPolicy('vhostkit-test')]) {
      const { status, stderr } = compilePolicy(text)
      assert.equal(status, 0, stderr)
    }
    for (const text of [
      profile.replace('rwk,', 'rwz,'),
      guestPolicy('vhostkit-test', '  /run/vhostkit/ r'),
    ]) {
      assert.notEqual(compilePolicy(text).status, 0)
    }
  })

  const {
    machines,
    ports,
    switch: program,
  } = JSON.parse(readFileSync('test/golden/cases/libvirt-pair/artifacts.json', 'utf8')) as Artifacts

  it('lets QEMU and the switch use just what a plan gives them', () => {
    const sockets = ports.flatMap((port) => (port.kind === 'vhost-user' ? [port.socket] : []))
    assert.ok(sockets.length > 0)
    for (const socket of sockets) {
      assert.ok(mayUse(abstraction, socket, 'rw'), socket)
      assert.ok(mayUse(profile, socket, 'rw'), socket)
    }
    for (const { folder: own, consoleSocket, log, domain } of machines) {
      const paths = [
        ...(domain?.xml.matchAll(/path='(\/run\/vhostkit[^']+)'|file='(\/run\/vhostkit[^']+)'/g) ?? []),
      ]
      const named = paths.map(([, path, file]) => path ?? file ?? '')
      assert.ok(named.length > 0)
      for (const path of [...named, consoleSocket]) assert.ok(mayUse(abstraction, path, 'rw'), path)
      assert.equal(mayUse(abstraction, `${own}/../../switch.sock`, 'r'), false)
      assert.equal(mayUse(abstraction, log, 'w'), log.endsWith('console.log'))
    }
    const files = ['--control', '--state', '--log'].map(
      (word) => program.argv[program.argv.indexOf(word) + 1] ?? '',
    )
    for (const path of files) assert.ok(mayUse(profile, path, 'rw'), path)
    assert.equal(mayUse(abstraction, program.control, 'r'), false, 'QEMU does not control the switch')
  })
})
