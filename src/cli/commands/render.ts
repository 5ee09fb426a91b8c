import { resolve } from 'node:path'
import { type ArtifactFile, listArtifactFiles, listServiceFiles } from '../../apply/artifact-files.js'
import { makeServiceFiles } from '../../apply/service-files.js'
import { writeArtifacts } from '../../apply/write-artifacts.js'
import { renderAll } from '../../core/render/render-all.js'
import type { CommandContext, CommandInput, CommandResult } from '../command.js'
import { readPlan } from '../read-plan.js'

export async function run(input: CommandInput, { places }: CommandContext): Promise<CommandResult> {
  const plan = await readPlan(input, places)
  const artifacts = renderAll(plan)
  const files = listArtifactFiles(artifacts)
  const { to } = input.options
  if (typeof to !== 'string') return { text: files.map(showFile).join('\n'), data: artifacts, exitCode: 0 }
  const folder = resolve(to)
  const service = await makeServiceFiles(places.root, artifacts.switch.argv, places.folders.run)
  const all = [...files, ...listServiceFiles(service)]
  const written = await writeArtifacts(folder, all, input.options.force === true)
  return { text: written.join('\n'), data: { ...artifacts, files: written }, exitCode: 0 }
}

function showFile({ name, text }: ArtifactFile): string {
  return `# ${name}\n${text}`
}
