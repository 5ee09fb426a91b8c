import type { Artifacts } from '../core/render/artifacts.js'

export interface ArtifactFile {
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
    { name: 'artifacts.json', text: `${JSON.stringify(artifacts, null, 2)}\n` },
  ]
}

/** An argument array as a shell would take it, one option a line. */
export function showCommandLine(argv: string[]): string {
  const words = argv.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`,
  )
  return `${words.join(' ').replace(/ (?=-)/g, ' \\\n  ')}\n`
}
