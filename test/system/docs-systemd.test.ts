import { assertFollowed, scriptOf } from '../docs/follow-page.js'
import { blocksOf } from '../docs/read-pages.js'
import { SystemdJail } from './systemd-jail.js'

/** Blocks marked "sh run systemd", as they stand, by root in the folder of vhostkit on a host that systemd began. */
describe('documents, with systemd', function () {
  this.timeout(120_000)
  const jail = new SystemdJail()
  before(async () => {
    await jail.start()
    await jail.install()
  })
  after(() => jail.end())

  for (const [page, blocks] of blocksOf('systemd')) {
    it(`${page} does what it says`, async () => {
      assertFollowed(page, await jail.follow(scriptOf(blocks)))
    })
  }
})
