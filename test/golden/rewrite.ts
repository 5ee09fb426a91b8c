import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderTroubleshooting } from '../../src/core/doctor/troubleshooting.js'
import { renderErrorPage } from '../../src/core/error-page.js'
import { renderSpecPage, specJsonSchema } from '../../src/core/spec/json-schema.js'
import { goldenFolder, sampleService } from '../core/service/sample-service.js'
import { caseNames, renderTakenOver, specFile } from '../core/take-over/cases.js'
import { conversationFile, keptHosts, transcript } from '../core/wizard/conversation.js'
import { sightsOf } from '../core/wizard/sights.js'
import { renderScreens, screensFile } from '../wizard/screens.js'
import { readCases } from './read-cases.js'
import { renderCase } from './render-case.js'

/** `npm run golden`: writes what is rendered now; the difference is then read line by line. */
for (const golden of readCases()) {
  for (const file of readdirSync(golden.folder)) {
    if (file !== 'case.json' && !file.startsWith('spec.')) rmSync(join(golden.folder, file))
  }
  for (const [file, text] of renderCase(golden)) writeFileSync(join(golden.folder, file), text)
}
writeFileSync('docs/errors.md', renderErrorPage())
writeFileSync('docs/troubleshooting.md', renderTroubleshooting())
writeFileSync('docs/spec.md', renderSpecPage())
mkdirSync('schema', { recursive: true })
writeFileSync('schema/spec.schema.json', `${JSON.stringify(specJsonSchema(), null, 2)}\n`)
mkdirSync(goldenFolder, { recursive: true })
for (const { template, text } of sampleService()) writeFileSync(join(goldenFolder, template), text)
mkdirSync('test/core/wizard/conversations', { recursive: true })
for (const host of keptHosts) writeFileSync(conversationFile(host), transcript(sightsOf(host)))
for (const name of caseNames()) writeFileSync(specFile(name), renderTakenOver(name))
writeFileSync(screensFile, await renderScreens())
