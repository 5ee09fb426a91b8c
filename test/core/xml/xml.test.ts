import assert from 'node:assert/strict'
import fc from 'fast-check'
import { VhostkitError } from '../../../src/core/errors.js'
import { findLosses } from '../../../src/core/xml/find-losses.js'
import { parseXml } from '../../../src/core/xml/parse-xml.js'
import { renderXml } from '../../../src/core/xml/render-xml.js'
import { attributeOf, element, elementsOf, find, textOf, type XmlElement } from '../../../src/core/xml/xml.js'

/** What a text is refused for; empty when it is read. */
function refusal(text: string): string {
  try {
    parseXml(text)
    return ''
  } catch (error) {
    assert.ok(error instanceof VhostkitError && error.code === 'xml-refused', String(error))
    return String(error.cause)
  }
}

describe('XML', () => {
  it('is read with prefixes, comments, entities and all, and knows its places', () => {
    const text = `<?xml version='1.0'?>\n<!-- by hand -->\n<a x:y="1 &amp; 2" z='&#x41;"'>t&lt;<b/><!-- c --><![CDATA[<x>]]></a>\n`
    const root = parseXml(text)
    assert.equal(root.name, 'a')
    assert.equal(attributeOf(root, 'x:y'), '1 & 2')
    assert.equal(attributeOf(root, 'z'), 'A"')
    assert.equal(textOf(root), 't<<x>')
    assert.equal(text.slice(root.start, root.end), text.slice(text.indexOf('<a'), -1))
    const b = find(root, 'b')
    assert.equal(text.slice(b?.start, b?.end), '<b/>')
    assert.equal(find(root, 'b', 'c'), null)
    assert.deepEqual(elementsOf(root).length, 1)
  })

  it('knows its places behind returns, comments, verbatim text and instructions', () => {
    const text =
      '<a>\r\n<!-- é\r -->\r<b x="1\r\n2">\r\n<![CDATA[</b>\r\n]]></b\r\n><?i a="b"?>\r\n<c\r/>\r\n</a>\r\n'
    const root = parseXml(text)
    const [b, c] = elementsOf(root)
    assert.equal(text.slice(b?.start, b?.end), '<b x="1\r\n2">\r\n<![CDATA[</b>\r\n]]></b\r\n>')
    assert.equal(text.slice(c?.start, c?.end), '<c\r/>')
    assert.equal(text.slice(root.start, root.end), text.trimEnd())
    assert.equal(attributeOf(b ?? null, 'x'), '1 2')
    assert.deepEqual(
      root.children.filter(({ kind }) => kind === 'comment' || kind === 'instruction'),
      [
        { kind: 'comment', text: ' é\n ' },
        { kind: 'instruction', text: 'i a="b"' },
      ],
    )
  })

  it('comes back as it was built, whatever is in it', function () {
    this.timeout(60_000)
    const name = fc.stringMatching(/^[a-z][a-z0-9.-]{0,5}$/).filter((word) => word !== 'constructor')
    const word = fc
      .string({ unit: 'binary', maxLength: 12 })
      .map((text) => text.replace(/[^\t\n\r -\ud7ff]/g, '?'))
    const leaf = fc
      .tuple(name, fc.dictionary(name, word, { maxKeys: 3 }), word)
      .map(([tag, attributes, text]) => element(tag, attributes, ...(text.trim() === '' ? [] : [text])))
    const tree = fc
      .tuple(name, fc.dictionary(name, word, { maxKeys: 3 }), fc.array(leaf, { minLength: 1, maxLength: 4 }))
      .map(([tag, attributes, children]) => element(tag, attributes, ...children))
    const shape = (node: XmlElement): unknown => [
      node.name,
      node.attributes,
      elementsOf(node).length > 0 ? elementsOf(node).map(shape) : textOf(node),
    ]
    fc.assert(fc.property(tree, (root) => assert.deepEqual(shape(parseXml(renderXml(root))), shape(root))))
  })

  it('never ends in anything but a tree or a refusal', function () {
    this.timeout(60_000)
    const pieces = fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      ' ',
      '=',
      '"',
      "'",
      '&',
      ';',
      '#',
      '!',
      '-',
      '[',
      ']',
      '?',
      ':',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => void refusal(parts.join(''))),
      { numRuns: 500 },
    )
  })

  for (const [what, text, why] of [
    ['a document type', '<!DOCTYPE a><a/>', /document type/],
    ['a document type within', '<a><!DOCTYPE a></a>', /document type/],
    ['an entity of its own', '<a>&b;</a>', /entity/],
    ['an entity named like a method', '<a>&toString;</a>', /entity/],
    ['a bare ampersand', '<a x="1 & 2"/>', /entity/],
    ['the character 0', '<a>&#0;</a>', /entity/],
    ['the element __proto__', '<a><__proto__ x="1"/></a>', /never read/],
    ['the attribute __proto__', '<a __proto__="1"/>', /never read/],
    ['a prefixed constructor', '<a><q:constructor/></a>', /never read/],
    ['an attribute twice', '<a b="1" b="2"/>', /repeated/],
    ['an open element', '<a><b></a>', /Expected closing tag 'b'/],
    ['an element never closed', '<a><b/>', /Unclosed tag 'a'/],
    ['two roots', '<a/><b/>', /second root/],
    ['text outside', '<a/>b', /outside/],
    ['nothing', ' ', /no element/],
    ['an attribute without quotes', '<a b=1/>', /without value/],
    ['a comment without end', '<a><!-- b</a>', /without/],
    ['a declaration within', '<a><?xml version="1.0"?></a>', /declaration/],
    ['a tag in an attribute', '<a b="<c>"/>', /"<"/],
    ['a document type in an attribute', `<a b="<!--"/><!DOCTYPE a><c d="-->"/>`, /"<"/],
    ['a document type behind a comment', '<!-- <a> --><!DOCTYPE a><a/>', /document type/],
    ['a name like a method', '<a><toString/></a>', /never read/],
    ['an attribute like a method', '<a hasOwnProperty="1"/>', /never read/],
    ['a tag that both opens and closes', '<a><b></c/></b></a>', /no(t closed)? .*own/],
    ['a tag more at its end', '<a></a></a>', /not been opened/],
    ['an empty tag that closes more', '<a></a/></a>', /not closed by a tag of its own/],
    ['an instruction that hides its end', '<a><?b " ?><c/><?d " ?></a>', /quotes around its end/],
    ['text before the root', 'b<a/>', /outside/],
    ['text between comments', '<a/><!-- b -->c<!-- d -->', /outside/],
    ['verbatim text outside', '<a/><![CDATA[b]]>', /outside/],
    ['a value without blank before it', '<a b="1"c="2"/>', /no space/],
    ['a name that begins with a digit', '<1a/>', /invalid name/],
  ] as const) {
    it(`with ${what} is refused`, () => assert.match(refusal(text), why))
  }

  it('is read to a depth of 64 elements, and no deeper', () => {
    const nested = (depth: number) => `${'<a>'.repeat(depth)}<b/>${'</a>'.repeat(depth)}`
    assert.equal(refusal(nested(64)), '')
    assert.match(refusal(nested(65)), /more than 64 elements in each other/)
  })

  describe('that attacks', () => {
    const laughs = (levels: number) =>
      Array.from({ length: levels }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join('')
    const attacks = {
      'a billion laughs': `<!DOCTYPE a [<!ENTITY l0 "ha">${laughs(9)}]><a>&l9;</a>`,
      'an external entity': `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`,
      'endless depth': '<a>'.repeat(200_000),
      'endless size': `<a>${' '.repeat(64 * 1024 * 1024)}</a>`,
      'endless elements': `<a>${'<b/>'.repeat(200_000)}</a>`,
      'endless attributes': `<a ${Array.from({ length: 90_000 }, (_, n) => `a${n}="1"`).join(' ')}/>`,
      'an endless name': `<${'a'.repeat(1_000_000)}`,
      'endless ampersands': `<a>${'&'.repeat(1_000_000)}</a>`,
      'endless blanks': `<a ${' '.repeat(1_000_000)}`,
      'endless comments': `<a>${'<!--'.repeat(250_000)}</a>`,
      'comments and no end': `${'<!---->'.repeat(4_900)}x`,
      'endless quotes': `<a ${`b='"' `.repeat(80_000)}`,
      'endless references': `<a>${'&lt;'.repeat(32_000)}</a>`,
      'endless lines': `<a>${'\r'.repeat(131_000)}</b>`,
      'endless entities': `<a>${'&lt;'.repeat(4_990)}&b;</a>`,
      'endless closing tags': `<a/>${'</a>'.repeat(4_900)}`,
      'attributes as many as may be, and one twice': `<a ${Array.from({ length: 4_990 }, (_, n) => `a${n}="1"`).join(' ')} a1="1"/>`,
      'depth as much as may be, and no end': '<a>'.repeat(4_999),
      'a size as large as may be, and no end': `<a>${' '.repeat(128 * 1024 - 3)}`,
    }
    const large = {
      size: `<a>${' '.repeat(128 * 1024 - 7)}</a>`,
      lines: `<a>${'\n'.repeat(131_000)}</a>`,
      elements: `<a>${'<b c="&lt;"/>\n'.repeat(1_660)}</a>`,
      entities: `<a>${'&lt;'.repeat(4_990)}</a>`,
      'a comment': `<a><!--${'-- '.repeat(43_000)}--></a>`,
      'a value': `<a b="${'&#9;'.repeat(4_990)}"/>`,
      'blanks in a tag': `<a${'\t'.repeat(131_000)}/>`,
    }
    for (const [what, text] of Object.entries({ ...attacks, ...large })) {
      // As large as may be is no attack: it is read, and may take its time.
      const limit = what in large ? 300 : 100
      it(`with ${what} is ${what in large ? 'read' : 'refused'} within ${limit} ms and 64 MiB`, () => {
        const heap = process.memoryUsage().heapUsed
        const begin = process.cpuUsage()
        assert.equal(refusal(text) === '', what in large, refusal(text).slice(0, 200))
        // Of the processor: other programs on the host are not ours to measure.
        const { user, system } = process.cpuUsage(begin)
        const ms = (user + system) / 1000
        const mib = (process.memoryUsage().heapUsed - heap) / 1024 ** 2
        assert.ok(ms < limit, `${ms} ms`)
        assert.ok(mib < 64, `${mib} MiB`)
      })
    }
  })
})

describe('what a definition lost', () => {
  const losses = (wanted: string, found: string) => findLosses(parseXml(wanted), parseXml(found))

  it('is nothing when the other only has more, in another order', () => {
    const wanted = `<d><os machine='q35'/><i><mac a='2'/></i><n>vm</n></d>`
    const found = `<d x='1'><n>vm</n><i><mac a='1'/></i><i><mac a='2' b='3'/></i><os machine='pc-q35-7.2'/></d>`
    assert.deepEqual(losses(wanted, found), [])
  })

  it('is each element, attribute and text that is gone or another', () => {
    const wanted = `<d><n>vm</n><cell id='0' memAccess='shared'/><i><mac a='2'/></i><gone/></d>`
    const found = `<d><n>wm</n><cell id='0'/><i><mac a='1'/></i></d>`
    assert.deepEqual(losses(wanted, found), [
      'd/n: vm is wm',
      'd/cell/@memAccess: shared is gone',
      'd/i/mac/@a: 2 is 1',
      'd/gone: gone',
    ])
    assert.deepEqual(losses('<a/>', '<b/>'), ['a: <a> is <b>'])
    assert.deepEqual(losses(`<os machine='q35'/>`, `<os machine='pc-i440fx-7.2'/>`).length, 1)
  })
})
