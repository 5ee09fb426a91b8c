import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Artifacts } from '../../src/core/render/artifacts.js'

const folder = 'templates/apparmor'
const abstraction = readFileSync(`${folder}/abstractions/vhostkit-qemu`, 'utf8')
const profile = readFileSync(`${folder}/vhostkit-switch`, 'utf8')
const parser = '/usr/sbin/apparmor_parser'

/** Compiles a policy and loads nothing: that takes no kernel with AppArmor. */
function compile(text: string): { status: number | null; stderr: string } {
  const work = mkdtempSync(join(tmpdir(), 'vkt-'))
  const path = join(work, 'policy')
  writeFileSync(path, text)
  const args = ['--skip-kernel-load', '--skip-cache', '--base', '/etc/apparmor.d', '-I', folder, path]
  const { status, stderr } = spawnSync(parser, args, { encoding: 'utf8', timeout: 60_000 })
  rmSync(work, { recursive: true })
  return { status, stderr }
}

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
  const confined = (rules: string) =>
    `#include <tunables/global>\nprofile vhostkit-test {\n#include <abstractions/libvirt-qemu>\n${rules}\n}\n`

  it('compiles, and a broken one does not', function () {
    this.timeout(120_000)
    if (!existsSync(parser)) {
      process.stderr.write(`\n*** SKIPPED, because this host lacks ${parser} (sh bin/setup)\n`)
      this.skip()
    }
    for (const text of [profile, confined('#include <abstractions/vhostkit-qemu>')]) {
      const { status, stderr } = compile(text)
      assert.equal(status, 0, stderr)
    }
    for (const text of [profile.replace('rwk,', 'rwz,'), confined('  /run/vhostkit/ r')]) {
      assert.notEqual(compile(text).status, 0)
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
