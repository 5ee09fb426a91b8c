import type { Artifacts, FileArtifact } from '../core/render/artifacts.js'
import type { ServiceFile } from '../core/service/service-files.js'

export interface ArtifactFile {
  /** Below the folder; at most one folder is in it. */
  name: string
  text: string
}

/** Artifacts as files that people can read, compare and run by hand. */
export function listArtifactFiles(artifacts: Artifacts): ArtifactFile[] {
  const requests = artifacts.ports.map((params, index) =>
    JSON.stringify({ jsonrpc: '2.0', id: index + 1, method: 'port.add', params }),
  )
  return [
    { name: 'switch.sh', text: showCommandLine(artifacts.switch.argv) },
    { name: 'ports.jsonl', text: requests.map((request) => `${request}\n`).join('') },
    ...artifacts.machines.map(({ name, argv, domain }) =>
      domain === undefined
        ? { name: `machine-${name}.sh`, text: showCommandLine(argv) }
        : { name: `domain-${name}.xml`, text: domain.xml },
    ),
    ...artifacts.machines.flatMap(({ name, files = [] }) => files.flatMap((file) => listSeed(name, file))),
    { name: 'artifacts.json', text: `${JSON.stringify(artifacts, null, 2)}\n` },
  ]
}

/** What cloud-init reads, by the names that it knows, in a folder for each machine. */
function listSeed(machine: string, file: FileArtifact): ArtifactFile[] {
  if (file.kind !== 'seed') return []
  return file.files.map(({ name, text }) => ({ name: `seed-${machine}/${name}`, text }))
}

/** What systemd needs to run the switch of a spec, by the names of the templates; where each belongs: docs/service.md. */
export function listServiceFiles(files: readonly ServiceFile[]): ArtifactFile[] {
  return files.map(({ template, text }) => ({ name: `systemd/${template}`, text }))
}

/** An argument array as a shell would take it, one option a line. */
export function showCommandLine(argv: string[]): string {
  const words = argv.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`,
  )
  return `${words.join(' ').replace(/ (?=-)/g, ' \\\n  ')}\n`
}
