import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import {
  hasControl,
  readExecLine,
  replaceExecLine,
  showExecLine,
} from '../../../src/core/service/exec-line.js'
import {
  renderServiceFiles,
  type ServiceTemplate,
  serviceUser,
} from '../../../src/core/service/service-files.js'
import { goldenFolder, sampleService } from './sample-service.js'

describe('files of the service', () => {
  it('are the golden ones', () => {
    const files = sampleService()
    for (const { template, text } of files) {
      assert.equal(
        text,
        readFileSync(join(goldenFolder, template), 'utf8'),
        `${template}: run npm run golden and read the difference`,
      )
      assert.doesNotMatch(text, /@[A-Z]+@/)
    }
    assert.deepEqual(readdirSync(goldenFolder).sort(), files.map(({ template }) => template).sort())
  })

  it('name one user, and the folder everywhere', () => {
    const [unit, sysusers, tmpfiles] = sampleService().map(({ text }) => text)
    assert.match(unit ?? '', new RegExp(`^User=${serviceUser}$`, 'm'))
    assert.match(sysusers ?? '', new RegExp(`^u ${serviceUser} `, 'm'))
    assert.match(tmpfiles ?? '', new RegExp(`^d /run/vhostkit 1771 root ${serviceUser} `, 'm'))
    assert.match(unit ?? '', /^ReadWritePaths=\/run\/vhostkit$/m)
  })

  it('name the user of the command line, and his group', () => {
    const files = (group: string | null) =>
      sampleService(['--user', 'nets'], group)
        .map(({ text }) => text)
        .join('\n')
    assert.match(files(null), /^User=nets\nGroup=nets$/m)
    assert.match(files('net-admins'), /^User=nets\nGroup=net-admins$/m)
    assert.match(files('net-admins'), /^u nets - /m)
    assert.match(
      files('net-admins'),
      /^d \/run\/vhostkit 1771 root net-admins -\n(?:.*\n)*z .* nets net-admins -$/m,
    )
    assert.doesNotMatch(files('net-admins'), / vhostkit -|=vhostkit$/m)
  })

  it('refuse a folder that systemd would expand or cut', () => {
    const none = {} as Record<ServiceTemplate, string>
    for (const run of ['/run/a b', '/run/%t', '/run/$X', 'run', '/run/"x"', '/run/a\nb', '/']) {
      assert.throws(() => renderServiceFiles(none, [], run), { code: 'service-refused' }, run)
    }
  })
})

describe('the command line of a unit', () => {
  it('comes back as it was, whatever it is', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/\p{Cc}/u.test(text))
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (argv) => {
        assert.deepEqual(readAsSystemd(showExecLine(argv)), argv)
      }),
    )
    assert.deepEqual(readAsSystemd(showExecLine(['', 'a b', '"', '\\', '%h', '$$', "'"])), [
      '',
      'a b',
      '"',
      '\\',
      '%h',
      '$$',
      "'",
    ])
  })

  it('has no control characters', () => {
    for (const word of ['a\nExecStartPre=b', '\0', '\u0085'])
      assert.throws(() => showExecLine([word]), { code: 'service-refused' })
  })

  it('is found by its control socket, and replaced', () => {
    const [unit] = sampleService()
    const text = unit?.text ?? ''
    assert.ok(hasControl(text, '/run/vhostkit/switch.sock'))
    assert.ok(!hasControl(text, '/run/vhostkit/switch.soc') && !hasControl(text, '/run/vhostkit'))
    const argv = ['/x', '--control', '/c $&', '--cores', '1']
    const other = replaceExecLine(text, argv)
    assert.equal(readExecLine(other), showExecLine(argv))
    assert.ok(hasControl(other, '/c $&'))
    assert.equal(other.replace(/^ExecStart=.*$/m, ''), text.replace(/^ExecStart=.*$/m, ''))
  })
})

/** The rules of systemd.service(5), written down a second time: blanks cut, quotes hold, \, % and $ are special. */
function readAsSystemd(line: string): string[] {
  const words: string[] = []
  for (let at = 0; at < line.length; ) {
    let word = ''
    const quoted = line[at] === '"'
    if (quoted) at++
    for (; at < line.length && line[at] !== (quoted ? '"' : ' '); at++) {
      const char = line[at] ?? ''
      assert.ok(quoted || !/[\s'"\\%$;]/.test(char), `${line}: ${char} outside of quotes`)
      if (char === '\\' || char === '%' || char === '$') {
        at++
        assert.ok(char === '\\' ? /[\\"]/.test(line[at] ?? '') : line[at] === char, line)
      }
      word += line[at]
    }
    at += quoted ? 2 : 1
    words.push(word)
  }
  return words
}
