import assert from 'node:assert/strict'

export interface ParsedFamily {
  type: string
  help: string
  samples: { labels: Record<string, string>; value: number }[]
}

/**
 * A strict reader of the Prometheus text format 0.0.4: families whole and once, HELP before TYPE before samples, names
 * and escapes as the format has them, no series twice, and the naming rules that `promtool check metrics` looks at.
 */
export function parseMetrics(text: string): Map<string, ParsedFamily> {
  assert.ok(text.endsWith('\n'), 'the last line has an end')
  const families = new Map<string, ParsedFamily>()
  const seen = new Set<string>()
  let name = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP ([a-z_]+) (.+)$/.exec(line)
    const type = /^# TYPE ([a-z_]+) (counter|gauge)$/.exec(line)
    if (help !== null) {
      name = help[1] ?? ''
      assert.ok(!families.has(name), `${name} stands twice`)
      families.set(name, { type: '', help: help[2] ?? '', samples: [] })
    } else if (type !== null) {
      assert.equal(type[1], name, 'TYPE follows its HELP')
      const family = families.get(name)
      assert.ok(family !== undefined && family.type === '' && family.samples.length === 0)
      family.type = type[2] ?? ''
    } else {
      const { series, labels, value } = parseSample(line, name)
      assert.ok(!seen.has(series), `${series} stands twice`)
      seen.add(series)
      families.get(name)?.samples.push({ labels, value })
    }
  }
  for (const [family, { type, help }] of families) checkName(family, type, help)
  return families
}

function parseSample(line: string, family: string) {
  const match = /^([a-z_]+)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/.exec(line)
  assert.ok(match !== null, `no sample: ${line}`)
  assert.equal(match[1], family, `a sample below its own TYPE: ${line}`)
  return {
    series: `${match[1]}{${match[2] ?? ''}}`,
    labels: parseLabels(match[2] ?? ''),
    value: Number(match[3]),
  }
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  let rest = text
  while (rest !== '') {
    const match = /^([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=.)|$)/.exec(rest)
    assert.ok(match !== null, `labels: ${rest}`)
    const [whole, label = '', value = ''] = match
    assert.ok(!(label in labels))
    labels[label] = value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
    rest = rest.slice(whole.length)
  }
  return labels
}

/** As promtool: counters and only they end in _total, base units, help as a sentence. */
function checkName(name: string, type: string, help: string): void {
  assert.match(name, /^vhostkit_[a-z_]+$/)
  assert.equal(name.endsWith('_total'), type === 'counter', name)
  assert.match(help, /^[A-Z1].*\.$/, name)
  assert.doesNotMatch(name, /_(ms|milliseconds|bits|kilobytes|percent|count|sum|bucket)(_|$)/)
}
