// node docs/library-example.mjs SPEC FACTS: what a spec would become on a host, without touching any.
import { readFile } from 'node:fs/promises'
import { exitCodeOf, makePlan, parseSpec, renderAll, showPlan, showProblems } from 'vhostkit'

const [specPath, factsPath] = process.argv.slice(2)
const facts = JSON.parse(await readFile(factsPath, 'utf8'))
const folders = { run: '/run/vhostkit', state: '/var/lib/vhostkit' }
const defaultBoot = { kernel: '/srv/vmlinuz', initrd: '', cmdline: 'console=ttyS0' }

const parsed = parseSpec(await readFile(specPath, 'utf8'), specPath)
const planned =
  'ok' in parsed ? makePlan(parsed.ok, facts, folders, { defaultBoot, fileName: specPath }) : parsed
if ('problems' in planned) {
  process.stderr.write(showProblems(planned.problems))
  process.exitCode = exitCodeOf(planned.problems)
} else {
  process.stdout.write(showPlan(planned.ok))
  for (const { name, argv } of renderAll(planned.ok).machines)
    process.stdout.write(`\n${name}: ${argv.join(' ')}\n`)
}
