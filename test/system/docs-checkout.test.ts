import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assertFollowed, bash, scriptOf } from '../docs/follow-page.js'
import { blocksOf } from '../docs/read-pages.js'
import { lookAtHost, requireRoot, testFolderPrefix } from './host-state.js'
import { startCli } from './run-cli.js'

/** What is written into the checkout stays in memory, and goes with the namespace. */
const copyOnWrite = [
  'mount -t tmpfs layers "$1/layers"',
  'mkdir "$1/layers/upper" "$1/layers/work"',
  'mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/layers/upper,workdir=$1/layers/work" "$2"',
  'cd "$2"',
  'shift 2',
  'exec "$@"',
].join('\n')

/** Blocks marked "sh run checkout", as they stand; what they install goes into an empty prefix. */
describe('documents, in a checkout', function () {
  this.timeout(300_000)
  let base: string
  let untouched: ReturnType<typeof lookAtHost>

  before(function () {
    requireRoot(this)
    untouched = lookAtHost()
    base = mkdtempSync(join(tmpdir(), testFolderPrefix.slice(1)))
    mkdirSync(join(base, 'layers'))
  })
  after(() => base !== undefined && rmSync(base, { recursive: true, force: true }))

  const follow = (script: string) => {
    const enter = ['--mount', '--propagation', 'private', 'sh', '-euc', copyOnWrite, 'sh']
    const env = {
      VHOSTKIT_RUN_DIR: join(base, 'run'),
      VHOSTKIT_STATE_DIR: join(base, 'state'),
      VHOSTKIT_CACHE_DIR: join(base, 'cache'),
      npm_config_prefix: join(base, 'prefix'),
      npm_config_prefer_offline: 'true',
      PATH: `${join(base, 'prefix/bin')}:${process.env.PATH}`,
    }
    return startCli([...enter, base, process.cwd(), ...bash, script], env, ['unshare']).result
  }

  for (const [page, blocks] of blocksOf('checkout')) {
    it(`${page} does what it says`, async () => {
      // Where a block went with `cd` is not where the next one begins.
      const script = blocks.map((block) => `(\n${scriptOf([block])}\n)`).join('\n')
      assertFollowed(page, await follow(script))
      assert.deepEqual(lookAtHost(), untouched)
    })
  }
})
