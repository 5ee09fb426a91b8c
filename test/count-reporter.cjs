/** Mocha's usual report, and its counts as JSON in the file of the reporter option `counts`. */
const { writeFileSync } = require('node:fs')
const Mocha = require('mocha')

module.exports = class CountReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats
      const counts = { passed: passes, failed: failures, skipped: pending }
      writeFileSync(options.reporterOptions.counts, JSON.stringify(counts))
    })
  }
}
