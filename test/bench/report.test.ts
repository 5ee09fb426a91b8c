import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { binsOf } from '../../native/bench/report/histogram.js'
import { element } from '../../native/bench/report/markup.js'
import { renderPage } from '../../native/bench/report/page.js'
import { logScale } from '../../native/bench/report/scale.js'
import { writeReport } from '../../native/bench/report/write.js'
import { showTable } from '../../native/bench/table.js'
import { benchSchema } from './bench-schema.js'
import { sampleResult } from './sample-result.js'
import { checkWellFormed } from './well-formed.js'

const page = (change: (result: ReturnType<typeof sampleResult>) => void = () => undefined) => {
  const result = sampleResult()
  change(result)
  return renderPage(result, '2026-11-24')
}

describe('the report of the bench', () => {
  it('is made from a result of the shape that --json has', () => {
    benchSchema.parse(sampleResult())
  })

  it('is well-formed, also with odd names in it', () => {
    checkWellFormed(page())
    const odd = page((result) => {
      result.versions.ovs = '3.1 <beta> & "more"'
      result.missing.push({ what: '<script>', why: 'a & b' })
    })
    checkWellFormed(odd)
    assert.ok(odd.includes('3.1 &lt;beta&gt; &amp; &quot;more&quot;'))
    assert.ok(!odd.includes('<script'))
  })

  it('needs nothing from elsewhere', () => {
    const links = page().match(/(?:src|href)=|@import|url\(/g)
    assert.equal(links, null)
    const addresses = [...page().matchAll(/https?:[^"]*/g)].map(([address]) => address)
    assert.deepEqual(
      new Set(addresses),
      new Set(['http://www.w3.org/1999/xhtml', 'http://www.w3.org/2000/svg']),
    )
  })

  it('shows each figure of the result, and moves the plots with it', () => {
    const plain = page()
    assert.ok(plain.includes('vhostkit, 64 bytes: 20 M frames/s (18 to 22)'))
    assert.ok(plain.includes('kernel, 64 bytes: 1.25 M frames/s (1.2 to 1.3)'))
    const plots = (html: string) => [...html.matchAll(/<svg.*?<\/svg>/gs)].map(([svg]) => svg)
    const shapes = (html: string) => plots(html).map((svg) => svg.replace(/<title>.*?<\/title>/g, ''))
    assert.equal(plots(plain).length, 3) // throughput, cycles, outages
    const changed = (change: Parameters<typeof page>[0]) =>
      shapes(page(change)).map((svg, at) => svg !== shapes(plain)[at])
    const row = (result: ReturnType<typeof sampleResult>) => result.rows[0] ?? assert.fail('no row')
    const changes: [(result: ReturnType<typeof sampleResult>) => void, boolean[]][] = [
      [(result) => Object.assign(row(result).mpps, { median: 21 }), [true, false, false]],
      [(result) => Object.assign(row(result).mpps, { max: 25 }), [true, false, false]],
      [(result) => Object.assign(row(result).cycles_per_frame, { min: 70 }), [false, true, false]],
      [(result) => result.outage?.all_ms.push(40), [false, false, true]],
    ]
    for (const [change, expected] of changes) assert.deepEqual(changed(change), expected)
  })

  it('tells who was left out, and every table', () => {
    for (const words of ['Left out', 'testpmd: it is not installed', 'Latency', 'Growth', 'Quiet', 'Floor'])
      assert.ok(page().includes(words), words)
    const bare = page((result) => {
      delete result.outage
      delete result.latency
    })
    assert.ok(!bare.includes('Latency') && !bare.includes('class="bin"'))
    checkWellFormed(bare)
  })

  it('is one file in the folder that was named', async () => {
    const base = await mkdtemp(join(tmpdir(), 'vhostkit-report-'))
    try {
      const path = await writeReport(join(base, 'a', 'b'), sampleResult(), new Date('2026-11-24T10:00:00Z'))
      assert.equal(path, join(base, 'a', 'b', 'index.html'))
      assert.equal(await readFile(path, 'utf8'), page())
    } finally {
      await rm(base, { recursive: true })
    }
  })

  it('has the same tables as the text', () => {
    const text = showTable(sampleResult())
    for (const words of ['Left out: testpmd: it is not installed', '16.00 ×', '1.22 (1.13–1.35) ×', '12.1'])
      assert.ok(text.includes(words), words)
  })
})

describe('the parts of a plot', () => {
  it('puts values on a logarithmic axis, from top to bottom', () => {
    const scale = logScale([1.2, 19], 300, 40)
    assert.deepEqual(scale.ticks, [1, 2, 5, 10, 20])
    assert.deepEqual([scale.at(1), scale.at(20)], [300, 40])
    assert.ok(scale.at(4) > scale.at(5))
    assert.ok(Math.abs(scale.at(2) - scale.at(1) - (scale.at(20) - scale.at(10))) < 1e-6)
  })

  it('counts each value in one bin', () => {
    const bins = binsOf([0.2, 11.9, 12, 12.1, 29.9])
    assert.equal(bins[0]?.from, 0)
    assert.ok(bins.length <= 30)
    assert.equal(
      bins.reduce((sum, { count }) => sum + count, 0),
      5,
    )
    assert.equal(bins.find(({ from }) => from === 12)?.count, 2)
  })

  it('escapes what it is given', () => {
    assert.equal(
      element('a', { b: '"<&' }, 'x<y', element('c', {})).text,
      '<a b="&quot;&lt;&amp;">x&lt;y<c/></a>',
    )
    checkWellFormed('<!DOCTYPE html>\n<a b="1">x<c/></a>\n')
    for (const broken of ['<a>', '<a></b>', '<a b=1/>', '<a>x & y</a>', '<a b="<"/>', '<a/><b/>', 'x'])
      assert.throws(() => checkWellFormed(broken), /not well-formed/, broken)
  })
})
