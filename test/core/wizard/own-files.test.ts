import assert from 'node:assert/strict'
import { replay } from '../../../src/core/wizard/replay.js'
import { toSpecText } from '../../../src/core/wizard/to-spec.js'
import { cd, cloud, sightsOf } from './sights.js'

describe('wizard: files whose path is typed', () => {
  it('takes an image and a CD from anywhere, as if they had been found', () => {
    const specWith = (image: string, boot: string) => {
      const sights = sightsOf('one-node', { guests: [] })
      const answers = replay(sights, JSON.stringify({ boot, ...(image === '' ? {} : { image }) }), 'a.yaml')
      return toSpecText(sights, answers)
    }
    for (const { path } of [cloud, cd]) {
      const found = replay(sightsOf('one-node'), JSON.stringify({ boot: path }), 'a.yaml')
      assert.equal(specWith(path, 'image'), toSpecText(sightsOf('one-node'), found))
    }
    assert.throws(() => specWith('', 'image'), /image: expected an absolute path, found no answer/)
  })

  it('says how something to boot is come by where nothing was found', () => {
    assert.throws(() => replay(sightsOf('one-node', { guests: [] }), '{name: lab, machines: 2}', 'a.yaml'), {
      message:
        /^a\.yaml: kernel: expected .* nothing to boot was found here; after `vhostkit demo` .*, found no answer\.$/,
    })
  })

  it('takes no kernel, RAM disk, image or file that is not what it should be', () => {
    const { files } = sightsOf('one-node')
    const over = { ...cloud, path: '/srv/k', backing: '/etc/shadow' }
    const strange = { ...cloud, path: '/srv/vmlinuz', fault: 'it is of the format vmdk' }
    const sights = sightsOf('one-node', {
      files: { ...files, readImage: (path) => [over, strange].find((one) => one.path === path) ?? null },
    })
    const refuse = (answers: Record<string, string>, pattern: RegExp) =>
      assert.throws(() => replay(sights, JSON.stringify(answers), 'a.yaml'), { message: pattern })
    const gone = /expected a file that is there; in \/srv there is vmlinuz, found "\/srv\/gone"/
    refuse({ boot: 'own', kernel: '/srv/gone' }, gone)
    refuse({ boot: 'own', kernel: '/srv/k', initrd: '/srv/gone' }, gone)
    refuse({ boot: 'own' }, /kernel: expected an absolute path, found no answer/)
    refuse({ boot: 'image', image: '/srv/gone' }, gone)
    refuse({ boot: 'image', image: cd.path }, /tools\.iso is gone/)
    refuse({ boot: 'image', image: '/srv/k' }, /whole by itself; of \/srv\/k: it lies over \/etc\/shadow/)
    refuse({ boot: 'image', image: '/srv/vmlinuz' }, /of \/srv\/vmlinuz: it is of the format vmdk/)
  })
})
