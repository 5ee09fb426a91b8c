import assert from 'node:assert/strict'
import { parseOptions, workloadNames } from '../../native/bench/options.js'
import { VhostkitError } from '../../src/core/errors.js'

describe('bench options', () => {
  it('has a default for everything', () => {
    const options = parseOptions([])
    assert.equal(options?.runs, 5)
    assert.deepEqual(options?.frontends, ['ours', 'virtio-user'])
    assert.equal(options?.json, false)
  })

  it('takes lists, once each', () => {
    const options = parseOptions(['--json', '--sizes', '64,1518,64', '--runs', '7', '--peers', 'ovs,testpmd'])
    assert.deepEqual(options?.sizes, [64, 1518])
    assert.deepEqual(options?.rivals, ['ovs', 'testpmd'])
    assert.equal(options?.runs, 7)
    assert.deepEqual(parseOptions(['--peers', 'none'])?.rivals, [])
  })

  it('gives nothing for help', () => {
    assert.equal(parseOptions(['--help']), null)
  })

  it('keeps the workloads of the plain call, and takes all of them', () => {
    assert.deepEqual(parseOptions(['--json', '--sizes', '64'])?.workloads, ['vm-vm'])
    assert.deepEqual(parseOptions(['--full'])?.workloads, [...workloadNames])
    assert.deepEqual(parseOptions(['--workloads', 'all'])?.workloads, [...workloadNames])
    assert.deepEqual(parseOptions(['--workloads', 'tso,outage', '--kills', '7'])?.workloads, [
      'tso',
      'outage',
    ])
    assert.equal(parseOptions(['--kills', '7'])?.kills, 7)
    assert.deepEqual(parseOptions(['--peers', 'kernel', '--report', 'out'])?.rivals, ['kernel'])
    assert.equal(parseOptions(['--report', 'out'])?.report, 'out')
  })

  const refused: [string[], RegExp][] = [
    [['--sizes', '59'], /--sizes wants a whole number from 60 to \d+.*found "59"/],
    [['--sizes', '64,'], /--sizes wants words with commas/],
    [['--runs', '0'], /--runs wants a whole number from 1 to/],
    [['--runs', '2.5'], /--runs wants a whole number/],
    [['--peers', 'vpp'], /--peers wants some of ovs, testpmd.*found "vpp"/],
    [['--workloads', 'all-of-it'], /--workloads wants/],
    [['--workloads', 'tso', '--full'], /--full and --workloads exclude each other/],
    [['--kills', '0'], /--kills wants a whole number from 1/],
    [['--report', ''], /--report wants a folder/],
    [['--frontends', 'qemu'], /--frontends wants some of ours, virtio-user/],
    [['--colour'], /--colour/],
    [['surplus'], /surplus/],
  ]
  for (const [words, sentence] of refused) {
    it(`refuses ${words.join(' ')}`, () => {
      assert.throws(
        () => parseOptions(words),
        (error) => error instanceof VhostkitError && error.exitCode === 2 && sentence.test(error.message),
      )
    })
  }
})
